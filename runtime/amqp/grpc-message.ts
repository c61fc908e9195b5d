/** A field table must fit in one frame with all else, and amqplib makes no larger one than 64 KiB. */
const maxBytes = 8 * 1024;

/**
 * A status message as a header's text: printable ASCII without `%`, all other bytes of its UTF-8 as `%XX`. Longer ones
 * than 8 KiB are cut, between two characters.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export function encodeGrpcMessage(message: string): string {
  let bytes = Buffer.from(message);
  if (bytes.length > maxBytes) {
    let end = maxBytes;
    // 10xxxxxx continues a character.
    while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    bytes = bytes.subarray(0, end);
  }
  let encoded = '';
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Never fails, as the specification asks: what is not `%XX` stays as it is. */
export function decodeGrpcMessage(encoded: string): string {
  // The odd parts are what matched.
  const parts = encoded.split(/(%[0-9a-fA-F]{2})/);
  const bytes = parts.map((part, at) =>
    at % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part),
  );
  return Buffer.concat(bytes).toString();
}
