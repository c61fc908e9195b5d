/** Maximum bytes of a message. The header must fit into one AMQP frame, and amqplib's frames hold at most 64 KiB. */
const maxBytes = 8 * 1024;

/**
 * Encodes a status message as `grpc-message`: printable ASCII except `%` stays, other bytes of its UTF-8 become `%XX`. A
 * message beyond 8 KiB is cut between two characters.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function encodeGrpcMessage(message: string): string {
  let bytes = Buffer.from(message);
  if (bytes.length > maxBytes) {
    let end = maxBytes;
    // In UTF-8, a byte 10xxxxxx continues a character.
    while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    bytes = bytes.subarray(0, end);
  }
  let encoded = '';
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
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
