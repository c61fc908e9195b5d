import { type ByteString, fromBytes, fromText } from './byte-string.ts';
import { FileError } from './file-error.ts';

const windows = process.platform === 'win32';

/**
 * Splits a path relative to the root into parts; no parts means the root.
 *
 * The path is text or bytes, already percent-decoded: `%2e` in it is part of a name. Empty parts and `.` are
 * dropped (`a//b/./` is `a/b`), so that a path has one spelling. A path that could lead outside of the root is
 * rejected before any system call.
 *
 * @throws FileError `ruta-no-valida`: absolute, with `..` or NUL (on Windows also `\` and `:`), or given twice
 */
export function parsePath(text: string, bytes?: Uint8Array): readonly ByteString[] {
  if (text !== '' && bytes !== undefined) throw invalid('The path is given both as text and as bytes');
  const path = bytes === undefined ? fromText(text) : fromBytes(bytes);
  if (path.startsWith('/')) throw invalid('The path must be relative to the root');
  if (path.includes('\0')) throw invalid('The path holds a NUL');
  if (windows && /[\\:]/.test(path)) throw invalid('The path holds a character that Windows does not allow');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.') as ByteString[];
  if (parts.includes('..' as ByteString)) throw invalid('The path must not hold ..');
  return parts;
}

function invalid(message: string): FileError {
  return new FileError('INVALID_ARGUMENT', 'ruta-no-valida', message);
}
