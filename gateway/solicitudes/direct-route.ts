import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Status } from '../../runtime/status.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Operation } from '../operations/operation.ts';
import type { Completion } from './completion.ts';
import { type DispatchRoute, maxDeferMs } from './dispatcher.ts';
import { settleAll } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import { createReadersWriterLock } from './readers-writer-lock.ts';

export interface DirectRouteDeps {
  readonly ledger: Ledger;
  readonly client: ServiceClient;
  readonly completion: Completion;
  readonly operation: (name: string) => Operation | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

/** Deadline of calls from the ledger. It exceeds that of live calls, because no client waits on the connection. */
const deadlineMs = 60_000;
/** Concurrent calls: a backlog must not starve live callers. */
const concurrency = 4;
const retryMs = 1_000;
/** A row interrupted this often is closed as `fallida`, because it seems to crash the service. */
const maxInterruptions = 5;

const tooSlow: Verdict = {
  ok: false,
  code: Status.DEADLINE_EXCEEDED,
  message: `The work took more than ${deadlineMs} ms`,
};

/**
 * Creates the direct route, which calls the service for each row, a few at a time. A row whose call was interrupted is
 * called alone from then on: of several calls in flight when the service died, only one killed it.
 */
export function createDirectRoute(deps: DirectRouteDeps): DispatchRoute {
  const { ledger, client, completion, operation, log, now } = deps;
  const lock = createReadersWriterLock();
  let calling = 0;

  /**
   * Calls the service for a row.
   * @returns whether the service is unavailable. The row then keeps its slot for a while: the next row would be refused
   * too, and refusing a backlog at full speed would burden a service that is starting
   */
  async function call(row: Solicitud, signal: AbortSignal): Promise<boolean> {
    const method = operation(row.operation)?.method;
    if (method === undefined) {
      await ledger.defer(row.id, now() + maxDeferMs);
      return false;
    }
    const result = await client.call(method, await method.request.parse(row.request), {
      signal,
      requestId: row.requestId,
      traceparent: row.traceparent,
      deadlineMs,
      queued: true,
    });
    if (result.kind === 'gone') return false;
    if (result.kind === 'verdict') await completion.complete(row, result);
    // A timeout is a verdict: the queue's handlers have the same 60 s.
    else if (result.proxyError === 'http_response_timeout') await completion.complete(row, tooSlow);
    else if (result.proxyError === 'connection_terminated') await interrupted(row);
    else {
      await ledger.defer(row.id, now() + retryMs);
      return result.proxyError === 'destination_unavailable';
    }
    return false;
  }

  async function interrupted(row: Solicitud): Promise<void> {
    // Random, so that calls interrupted together, even by another gateway, do not return at the same moment.
    const pauseMs = retryMs * 2 ** row.interruptions * (1 + Math.random());
    const broken = await ledger.interrupted(row.id, Math.ceil(now() + pauseMs));
    log.warn(
      { id: row.id, requestId: row.requestId, broken },
      'connection lost during the call; retrying the row alone',
    );
    if (broken >= maxInterruptions) await completion.end(row, 'fallida');
  }

  return {
    get open() {
      return client.reachable;
    },
    get room() {
      return Math.max(0, concurrency - calling);
    },
    dispatch: (rows, lease, signal) =>
      settleAll(
        rows.map(async (row) => {
          calling += 1;
          const run = row.interruptions > 0 ? lock.exclusive : lock.shared;
          try {
            const refused = await run(async () => {
              if (!client.reachable || signal.aborted) return undefined;
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
          // Releasing the row wakes the dispatcher, which finds room again.
          lease.done(row.id);
        }),
      ),
  };
}
