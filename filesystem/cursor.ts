import { createHash } from 'node:crypto';
import { type ByteString, fromBytes, toBytes } from './byte-string.ts';
import { FileError } from './file-error.ts';

const version = 1;
const digestLength = 16;

/** What a cursor belongs to: the operation, and every parameter that decides which entries there are, and their order. */
export interface CursorScope {
  readonly operation: string;
  readonly query: readonly unknown[];
}

/**
 * A keyset cursor: the place of the last entry that was given, and nothing else, so that it holds after a restart, in
 * another replica, and while the folder changes. A digest over version, operation, query and place finds what is cut or
 * altered, or used with another query. It is no secret: whoever forges one gets a page that starts elsewhere.
 *
 * Form: base64url of version (1 byte), digest (16 bytes), position.
 */
export function encodeCursor(scope: CursorScope, position: ByteString): string {
  return Buffer.concat([Buffer.of(version), digest(scope, position), toBytes(position)]).toString(
    'base64url',
  );
}

/** @throws FileError `cursor-no-valido` */
export function decodeCursor(scope: CursorScope, cursor: string): ByteString {
  const bytes = Buffer.from(cursor, 'base64url');
  const position = fromBytes(bytes.subarray(1 + digestLength));
  // Comparing with what we would have written ourselves also refuses base64 that only means the same.
  if (encodeCursor(scope, position) !== cursor) throw invalidCursor();
  return position;
}

export function invalidCursor(): FileError {
  return new FileError('INVALID_ARGUMENT', 'cursor-no-valido', 'The cursor does not belong to this query');
}

function digest(scope: CursorScope, position: ByteString): Buffer {
  const covered = JSON.stringify([version, scope.operation, scope.query, position]);
  return createHash('sha256').update(covered).digest().subarray(0, digestLength);
}
