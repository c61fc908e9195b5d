/**
 * Bytes as a string of one character per byte, U+0000 to U+00FF (Node's latin1). File names are bytes, not text: this
 * form is exact, cheap, usable as a Map key, and `<` compares it in byte order. The brand keeps it apart from text,
 * which equals it for ASCII only.
 */
export type ByteString = string & { readonly [brand]: true };
declare const brand: unique symbol;

const notAscii = /[\u0080-\u{10ffff}]/u;
const replacement = '\ufffd';

export function fromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteString;
}

/** Encodes text as UTF-8. */
export function fromText(text: string): ByteString {
  return (notAscii.test(text) ? Buffer.from(text).toString('latin1') : text) as ByteString;
}

export function toBytes(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** Decodes UTF-8. A byte that cannot be decoded becomes U+FFFD, and then `exact` is false. */
export function toText(bytes: ByteString): { readonly text: string; readonly exact: boolean } {
  if (!notAscii.test(bytes)) return { text: bytes, exact: true };
  const text = toBytes(bytes).toString();
  return { text, exact: !text.includes(replacement) || fromText(text) === bytes };
}

/**
 * Returns the path in the form that Node's fs functions take. Node encodes strings as UTF-8, so bytes beyond ASCII
 * are passed as a Buffer.
 */
export function toPath(bytes: ByteString): string | Buffer {
  return notAscii.test(bytes) ? toBytes(bytes) : bytes;
}

/** Joins parts with `/`, relative to the root. The root itself is the empty path. */
export function joinParts(folder: ByteString, name: ByteString): ByteString {
  return (folder === '' ? name : `${folder}/${name}`) as ByteString;
}

export function splitParts(path: ByteString): ByteString[] {
  return path === '' ? [] : (path.split('/') as ByteString[]);
}

/** Returns the path of the containing folder. */
export function folderOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) as ByteString;
}

/** Returns the last part of a path. */
export function lastPart(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}
