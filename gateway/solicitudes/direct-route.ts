import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Status } from '../../runtime/status.ts';
import type { Caller } from '../calls/service-client.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Operation } from '../operations/operation.ts';
import type { Closer } from './completion.ts';
import { longestDeferMs, type Way } from './dispatcher.ts';
import { everyOne } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import { createTurns } from './readers-writer-lock.ts';

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

  /**
   * @returns whether the service refuses to work. It would refuse the next row, too: its place is kept for a while, else a
   * backlog is refused as fast as the service can say so, which has better things to do until it can work
   */
  async function call(row: Solicitud, signal: AbortSignal): Promise<boolean> {
    const method = operation(row.operation)?.method;
    if (method === undefined) {
      await ledger.defer(row.id, now() + longestDeferMs);
      return false;
    }
    const result = await caller.call(method, method.request.fromJson(JSON.parse(row.request)), {
      signal,
      requestId: row.requestId,
      traceparent: row.traceparent,
      deadlineMs,
      queued: true,
    });
    if (result.kind === 'gone') return false;
    if (result.kind === 'verdict') await closer.complete(row, result.verdict);
    // The handler had all its time, as it has from the queue: that is its answer.
    else if (result.proxyError === 'http_response_timeout') await closer.complete(row, tooSlow);
    else if (result.proxyError === 'connection_terminated') await interrupted(row);
    else {
      await ledger.defer(row.id, now() + retryMs);
      return result.proxyError === 'destination_unavailable';
    }
    return false;
  }

  async function interrupted(row: Solicitud): Promise<void> {
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
            const refused = await inTurn(async () => {
              if (!caller.reachable || signal.aborted) return undefined;
              return call(row, signal);
            });
            if (refused === undefined || signal.aborted) return;
            if (refused) {
              lease.done(row.id);
              await pause(retryMs, undefined, { signal }).catch(() => undefined);
            }
          } finally {
            calling -= 1;
          }
          // It wakes the dispatcher, which finds room.
          lease.done(row.id);
        }),
      ),
  };
}
