import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Operation, View } from '../operations/operation.ts';
import type { Acceptance, Ledger } from './ledger.ts';

/** A request that is to be accepted. */
export interface Candidate {
  readonly service: string;
  readonly operation: Operation;
  readonly request: unknown;
  readonly view: View;
  readonly caller: string;
  readonly requestId: string;
  readonly traceparent: string;
}

/** Commits a request to the ledger. Rejects with the ledger's errors; what resolves is a promise to answer. */
export type Accept = (candidate: Candidate) => Promise<Acceptance>;

export interface AcceptDeps {
  readonly ledger: Ledger;
  /** How long a solicitud may stay open, milliseconds. */
  readonly lifetimeMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

export function createAccept({ ledger, lifetimeMs, log, now }: AcceptDeps): Accept {
  return async ({ operation, request, ...rest }) => {
    const acceptedAt = now();
    const acceptance: Acceptance = {
      ...rest,
      id: uuidv7({ msecs: acceptedAt }),
      operation: operation.name,
      request: JSON.stringify(operation.method.request.toJson(request)),
      witness: randomBytes(16).toString('base64url'),
      acceptedAt,
      expiresAt: acceptedAt + lifetimeMs,
      key: undefined,
      retryOf: undefined,
    };
    await ledger.accept(acceptance);
    const { id, service, requestId } = acceptance;
    log.info({ id, service, requestId }, 'accepted');
    return acceptance;
  };
}
