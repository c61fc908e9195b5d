import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { ProblemError } from '../http/problem.ts';
import { type Acceptance, type Ledger, LedgerUnavailableError, type Solicitud } from './ledger.ts';

/** A request to accept. */
export type DeferredRequest = Omit<Acceptance, 'id' | 'replyToken' | 'acceptedAt' | 'expiresAt'>;

/** A committed request: accepted just now, or earlier and with its current state. */
export type Accepted = Acceptance & Partial<Solicitud>;

export interface Acceptor {
  /**
   * Returns the solicitud that already has the candidate's key; undefined also while the ledger is unavailable. Rejects
   * with a problem when the key belongs to a different request.
   */
  known(candidate: DeferredRequest): Promise<Solicitud | undefined>;
  /**
   * Commits a request to the ledger, or returns the solicitud that has its key. Once resolved, an answer is guaranteed.
   * Rejects with the ledger's errors.
   */
  accept(candidate: DeferredRequest): Promise<Accepted>;
}

export interface AcceptorDeps {
  readonly ledger: Pick<Ledger, 'accept' | 'withKey'>;
  /** How long a solicitud may stay open, in milliseconds. */
  readonly lifetimeMs: number;
  readonly log: Logger;
  readonly now: () => number;
}

export function createAcceptor({ ledger, lifetimeMs, log, now }: AcceptorDeps): Acceptor {
  return {
    known: async (candidate) => {
      if (candidate.key === undefined) return undefined;
      try {
        const row = await ledger.withKey(candidate.caller, candidate.key);
        return row && sameRequest(row, candidate);
      } catch (err) {
        // Answering by a call is worth more than the key: while the ledger is down no request can be accepted twice.
        if (!(err instanceof LedgerUnavailableError)) throw err;
        log.warn({ err, requestId: candidate.requestId }, 'ledger unavailable; ignoring the idempotency key');
        return undefined;
      }
    },
    accept: async (candidate) => {
      const acceptedAt = now();
      const acceptance: Acceptance = {
        ...candidate,
        // Without a given time, ids ascend within a millisecond too: lists are ordered by them.
        id: uuidv7(),
        replyToken: randomBytes(16).toString('base64url'),
        acceptedAt,
        expiresAt: acceptedAt + lifetimeMs,
      };
      const row = await ledger.accept(acceptance);
      if (row !== undefined) return sameRequest(row, candidate);
      const { id, service, requestId } = acceptance;
      log.info({ id, service, requestId }, 'accepted');
      return acceptance;
    },
  };
}

/** Compares requests by meaning: operation, message and representation, not the order or spelling of parameters. */
function sameRequest(row: Solicitud, candidate: DeferredRequest): Solicitud {
  const same =
    row.operation === candidate.operation &&
    row.request === candidate.request &&
    row.view.formato === candidate.view.formato &&
    row.retryOf === candidate.retryOf;
  if (!same) throw new ProblemError('clave-de-idempotencia-reutilizada', { values: { id: row.id } });
  return row;
}
