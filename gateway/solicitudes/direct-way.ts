import type { Logger } from 'pino';
import { Status } from '../../runtime/status.ts';
import type { Caller } from '../calls/caller.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Operation } from '../operations/operation.ts';
import type { Closer } from './closing.ts';
import { longestDeferMs, type Way } from './dispatcher.ts';
import { everyOne } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';

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

/** The way without a broker: calls the service for every row, a few at a time. */
export function createDirectWay(deps: DirectWayDeps): Way {
  const { ledger, caller, closer, operation, log, now } = deps;
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
    const broken = await ledger.interrupted(row.id, now() + retryMs * 2 ** row.interruptions);
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
          try {
            if (!caller.reachable || signal.aborted) return;
            await call(row, signal);
          } finally {
            calling -= 1;
          }
          if (!signal.aborted) lease.done(row.id);
        }),
      ),
  };
}
