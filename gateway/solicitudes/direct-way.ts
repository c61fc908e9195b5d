import type { Logger } from 'pino';
import { Status } from '../../runtime/status.ts';
import type { Caller } from '../calls/caller.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Operation } from '../operations/operation.ts';
import type { Closer } from './closing.ts';
import { longestDeferMs, type Way } from './dispatcher.ts';
import { everyOne } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import { createTurns } from './turns.ts';

export interface DirectWayDeps {
  readonly ledger: Ledger;
  readonly caller: Caller;
  readonly closer: Closer;
  readonly operation: (name: string) => Operation | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

/** Work from the ledger has more time than a caller who waits. */
const deadlineMs = 60_000;
/** Calls at the same time: a backlog must not starve live callers. */
const concurrency = 4;
const retryMs = 1_000;
/** A request whose call broke this often in mid-call is taken for the one that kills the service. */
const mostInterruptions = 5;

const tooSlow: Verdict = {
  ok: false,
  code: Status.DEADLINE_EXCEEDED,
  message: `The work took more than ${deadlineMs} ms`,
};

/**
 * The way without a broker: calls the service for every row, a few at a time. A row whose call broke is called alone from
 * then on: several may have been under way when the service died, and only one of them has killed it.
 */
export function createDirectWay(deps: DirectWayDeps): Way {
  const { ledger, caller, closer, operation, log, now } = deps;
  const turns = createTurns();
  let calling = 0;

  async function call(row: Solicitud, signal: AbortSignal): Promise<void> {
    const method = operation(row.operation)?.method;
    if (method === undefined) return ledger.defer(row.id, now() + longestDeferMs);
    const result = await caller.call(method, method.request.fromJson(JSON.parse(row.request)), {
      signal,
      requestId: row.requestId,
      traceparent: row.traceparent,
      deadlineMs,
      queued: true,
    });
    if (result.kind === 'gone') return;
    if (result.kind === 'verdict') return closer.complete(row, result.verdict);
    // The handler had all its time, as it has from the queue: that is its answer.
    if (result.proxyError === 'http_response_timeout') return closer.complete(row, tooSlow);
    if (result.proxyError !== 'connection_terminated') return ledger.defer(row.id, now() + retryMs);
    // At random, so that what broke together, also in another gateway, does not come back at the same moment.
    const pauseMs = retryMs * 2 ** row.interruptions * (1 + Math.random());
    const broken = await ledger.interrupted(row.id, Math.ceil(now() + pauseMs));
    log.warn({ id: row.id, requestId: row.requestId, broken }, 'the call broke in mid-call');
    if (broken >= mostInterruptions) await closer.end(row, 'fallida');
  }

  return {
    get open() {
      return caller.reachable;
    },
    get room() {
      return Math.max(0, concurrency - calling);
    },
    dispatch: (rows, lease, signal) =>
      everyOne(
        rows.map(async (row) => {
          calling += 1;
          const inTurn = row.interruptions > 0 ? turns.alone : turns.beside;
          try {
            const called = await inTurn(async () => {
              if (!caller.reachable || signal.aborted) return false;
              await call(row, signal);
              return !signal.aborted;
            });
            if (called) lease.done(row.id);
          } finally {
            calling -= 1;
          }
        }),
      ),
  };
}
