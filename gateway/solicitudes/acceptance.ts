import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { ProblemError } from '../http/problem.ts';
import { type Acceptance, type Ledger, LedgerUnavailableError, type Solicitud } from './ledger.ts';

/** A request that is to be accepted. */
export type Candidate = Omit<Acceptance, 'id' | 'witness' | 'acceptedAt' | 'expiresAt'>;

/** A request that is committed: now, or before, and then with all that became of it. */
export type Accepted = Acceptance & Partial<Solicitud>;

export interface Acceptor {
  /**
   * The solicitud that has the candidate's key already; undefined also when the ledger cannot say. Rejects with a problem
   * when it was another request that had the key.
   */
  known(candidate: Candidate): Promise<Solicitud | undefined>;
  /**
   * Commits a request to the ledger, or gives the one that has its key. Rejects with the ledger's errors; what resolves
   * is a promise to answer.
   */
  accept(candidate: Candidate): Promise<Accepted>;
}

export interface AcceptorDeps {
  readonly ledger: Pick<Ledger, 'accept' | 'withKey'>;
  /** How long a solicitud may stay open, milliseconds. */
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
        // A service that answers is worth more than the memory of a request that nobody could have accepted now.
        if (!(err instanceof LedgerUnavailableError)) throw err;
        log.warn({ err, requestId: candidate.requestId }, 'the ledger cannot say whether it knows a key');
        return undefined;
      }
    },
    accept: async (candidate) => {
      const acceptedAt = now();
      const acceptance: Acceptance = {
        ...candidate,
        id: uuidv7({ msecs: acceptedAt }),
        witness: randomBytes(16).toString('base64url'),
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

/** The order and the writing of the parameters do not matter: what was asked for does, and the form of its answer. */
function sameRequest(row: Solicitud, candidate: Candidate): Solicitud {
  const same =
    row.operation === candidate.operation &&
    row.request === candidate.request &&
    row.view.formato === candidate.view.formato &&
    row.retryOf === candidate.retryOf;
  if (!same) throw new ProblemError('clave-de-idempotencia-reutilizada', { values: { id: row.id } });
  return row;
}
