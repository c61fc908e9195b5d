/**
 * Bytes as a string: one character, U+0000 to U+00FF, per byte (Node calls it latin1). Names of files are bytes, not
 * text, and in this form they are exact, cheap, keys of a Map, and `<` is byte order. The brand keeps them apart
 * from text, which would be right for ASCII only.
 */
export type ByteString = string & { readonly [brand]: true };
declare const brand: unique symbol;

const notAscii = /[\u0080-\u{10ffff}]/u;
const replacement = '\ufffd';

export function fromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteString;
}

/** The UTF-8 of a text. */
export function fromText(text: string): ByteString {
  return (notAscii.test(text) ? Buffer.from(text).toString('latin1') : text) as ByteString;
}

export function toBytes(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** Decoded as UTF-8. What cannot be decoded becomes U+FFFD, and then `exact` is false. */
export function toText(bytes: ByteString): { readonly text: string; readonly exact: boolean } {
  if (!notAscii.test(bytes)) return { text: bytes, exact: true };
  const text = toBytes(bytes).toString();
  return { text, exact: !text.includes(replacement) || fromText(text) === bytes };
}

/** What a system call takes: a string means UTF-8 to Node, so bytes beyond ASCII go as a Buffer. */
export function toPath(bytes: ByteString): string | Buffer {
  return notAscii.test(bytes) ? toBytes(bytes) : bytes;
}

/** A path below the root: parts with `/` between them; the root itself is the empty path. */
export function joinParts(folder: ByteString, name: ByteString): ByteString {
  return (folder === '' ? name : `${folder}/${name}`) as ByteString;
}

export function splitParts(path: ByteString): ByteString[] {
  return path === '' ? [] : (path.split('/') as ByteString[]);
}

/** The path of the folder that holds what is at a path. */
export function folderOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) as ByteString;
}

/** The name of what is at a path. */
export function lastPart(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}
