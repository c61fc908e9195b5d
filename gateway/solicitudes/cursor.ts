import { createHash } from 'node:crypto';
import { ProblemError } from '../http/problem.ts';

const digestLength = 16;

/**
 * Encodes a keyset cursor of a list of solicitudes: the last id returned. A digest over the id and the list's `scope`
 * detects a cursor that is truncated, altered or used with another list. The digest is not a secret.
 *
 * Format: base64url of digest (16 bytes) and id.
 */
export function encodeListCursor(scope: readonly unknown[], id: string): string {
  const covered = JSON.stringify(['solicitudes', 1, ...scope, id]);
  const digest = createHash('sha256').update(covered).digest().subarray(0, digestLength);
  return Buffer.concat([digest, Buffer.from(id)]).toString('base64url');
}

/** @throws ProblemError `cursor-no-valido` */
export function decodeListCursor(scope: readonly unknown[], cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').subarray(digestLength).toString();
  // Re-encoding and comparing also rejects non-canonical base64.
  if (encodeListCursor(scope, id) !== cursor) {
    const errores = [{ parametro: 'cursor', motivo: 'cursor-no-valido' }];
    throw new ProblemError('cursor-no-valido', { errores });
  }
  return id;
}
