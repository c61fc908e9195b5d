import { createHash } from 'node:crypto';
import { type ByteString, fromBytes, toBytes } from './byte-string.ts';
import { FileError } from './file-error.ts';

const version = 1;
const digestLength = 16;

/** The query that a cursor is bound to: the operation, and every parameter that selects or orders entries. */
export interface CursorScope {
  readonly operation: string;
  readonly query: readonly unknown[];
}

/**
 * Encodes a keyset cursor: the position of the last entry returned. It holds no other state, so it stays valid after
 * a restart, in another replica and while the folder changes.
 *
 * A digest over version, operation, query and position detects a cursor that is truncated, altered or used with
 * another query. The digest is not a secret: a forged cursor only starts the page elsewhere.
 *
 * Format: base64url of version (1 byte), digest (16 bytes), position.
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
  // Re-encoding and comparing also rejects non-canonical base64.
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
