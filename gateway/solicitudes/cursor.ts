import { createHash } from 'node:crypto';
import { ProblemError } from '../http/problem.ts';

const digestLength = 16;

/**
 * A keyset cursor of a list of solicitudes: the last id that was given, and a digest over it and over what was listed
 * (`scope`), which finds what is cut, altered, or of another list. It is no secret.
 *
 * Form: base64url of digest (16 bytes) and id.
 */
export function encodeCursor(scope: readonly unknown[], id: string): string {
  const covered = JSON.stringify(['solicitudes', 1, ...scope, id]);
  const digest = createHash('sha256').update(covered).digest().subarray(0, digestLength);
  return Buffer.concat([digest, Buffer.from(id)]).toString('base64url');
}

/** @throws ProblemError `cursor-no-valido` */
export function decodeCursor(scope: readonly unknown[], cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').subarray(digestLength).toString();
  // Comparing with what we would have written ourselves also refuses base64 that only means the same.
  if (encodeCursor(scope, id) !== cursor) {
    const errores = [{ parametro: 'cursor', motivo: 'cursor-no-valido' }];
    throw new ProblemError('cursor-no-valido', { errores });
  }
  return id;
}
