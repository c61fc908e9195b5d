/**
 * Maximum length of an encoded message. A message's headers must fit into one AMQP frame, which has 4096 bytes where
 * `frame_max` is least, with the trace context (600 bytes at most) and the rest.
 */
const maxLength = 2048;

/**
 * Encodes a status message as `grpc-message`: printable ASCII except `%` stays, other bytes of its UTF-8 become `%XX`. A
 * long message is cut between two characters.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function encodeGrpcMessage(message: string): string {
  let encoded = '';
  for (const character of message) {
    const next = /^[ -$&-~]$/.test(character) ? character : percentEncode(character);
    if (encoded.length + next.length > maxLength) break;
    encoded += next;
  }
  return encoded;
}

function percentEncode(character: string): string {
  const bytes = [...Buffer.from(character)];
  return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

/** Decodes `grpc-message`. It never fails, as the specification requires: text that is not `%XX` is kept. */
export function decodeGrpcMessage(encoded: string): string {
  // Split by a group: the parts with an odd index are the matches.
  const parts = encoded.split(/(%[0-9a-fA-F]{2})/);
  const bytes = parts.map((part, at) =>
    at % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part),
  );
  return Buffer.concat(bytes).toString();
}
