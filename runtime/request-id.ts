import { randomUUID } from 'node:crypto';

/** Returns a given request id if it is well-formed, else a new one: the id is repeated in logs and headers. */
export function toRequestId(given: unknown): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}
