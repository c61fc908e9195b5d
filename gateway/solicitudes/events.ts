import { goneSignal } from '../http/disconnect-signal.ts';
import type { Context } from '../http/state.ts';
import { sendStreamed } from '../http/streamed.ts';
import { payerOf } from '../limits/quota-key.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import type { Waiters, Watch } from './waiters.ts';

export interface EventsDeps {
  readonly ledger: Ledger;
  /** Those who follow a solicitud; apart from those who wait for an answer. */
  readonly followers: Waiters;
  /** A client that takes nothing for so long is disconnected, milliseconds. */
  readonly streamStallMs: number;
}

/** So often there is a comment, so that nobody on the way takes the connection for dead; and then we look, too. */
const beatMs = 15_000;
/** A client that lost its connection comes back after this. */
const comeBackMs = 2_000;

/**
 * `GET /solicitudes/{id}/eventos`: an event for each change of state, with its index in the history as its id, from the
 * beginning or after `Last-Event-ID`, until the final one (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 * A client that has seen that already gets 204, which tells an `EventSource` not to come back. One whose token ends is left
 * then, and refused if it comes back with the same.
 */
export async function sendEvents(
  ctx: Context,
  row: Solicitud,
  { ledger, followers, streamStallMs }: EventsDeps,
): Promise<void> {
  const next = nextEvent(ctx.get('Last-Event-ID'));
  ctx.set('Cache-Control', 'no-store');
  if (row.closedAt !== undefined && next >= row.history.length) {
    ctx.status = 204;
    return;
  }
  using watch = followers.watch(row.id, payerOf(ctx.state));
  ctx.status = 200;
  // nginx would collect a stream otherwise.
  ctx.set({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  if (ctx.method === 'HEAD') return;
  const signal = AbortSignal.any([goneSignal(ctx), identityEnd(ctx.state.identifiedUntil)]);
  const events = eventsOf(row, next, { ledger, followers, watch, signal });
  await sendStreamed(ctx, events, streamStallMs);
}

/** Timers know no later time. */
const longestMs = 2 ** 31 - 1;

function identityEnd(until: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, Math.min(until - Date.now(), longestMs)));
}

/** The index of the first event to be sent. An id that is not one of ours counts as none. */
function nextEvent(lastEventId: string): number {
  return /^\d{1,6}$/.test(lastEventId) ? Number(lastEventId) + 1 : 0;
}

interface Following {
  readonly ledger: Pick<Ledger, 'get'>;
  readonly followers: Pick<Waiters, 'stopped'>;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/** The text of the stream, from the event `first` on; it ends when there is nothing more to tell, or nobody to tell it to. */
export async function* eventsOf(
  { id }: Pick<Solicitud, 'id'>,
  first: number,
  { ledger, followers, watch, signal }: Following,
): AsyncGenerator<string, void> {
  yield `retry: ${comeBackMs}\n\n`;
  for (let next = first; ; ) {
    const row = await ledger.get(id);
    if (row === undefined) return;
    for (const { state, at } of row.history.slice(next)) {
      const data = JSON.stringify({ estado: state, momento: new Date(at).toISOString() });
      yield `id: ${next}\ndata: ${data}\n\n`;
      next += 1;
    }
    if (row.closedAt !== undefined) return;
    if (await watch.changed(beatMs, signal)) continue;
    if (followers.stopped || signal.aborted) return;
    yield ': sigue en curso\n\n';
  }
}
