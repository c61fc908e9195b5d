import { disconnectSignal } from '../http/disconnect-signal.ts';
import { assertMatches } from '../http/preconditions.ts';
import type { Context } from '../http/state.ts';
import { sendStreamed } from '../http/streamed.ts';
import { quotaKeyOf } from '../limits/quota-key.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import type { SolicitudWatch, Waiters } from './waiters.ts';

export interface EventsDeps {
  readonly ledger: Ledger;
  /** The event streams' waiters, separate from those of answers. */
  readonly followers: Waiters;
  /** A client that receives nothing for this long is disconnected, in milliseconds. */
  readonly streamStallMs: number;
}

/** Interval of comments, which keep proxies from closing an idle connection; the ledger is read then, too. */
const commentMs = 15_000;
/** Delay before a disconnected client reconnects. */
const reconnectMs = 2_000;

/**
 * Sends `GET /solicitudes/{id}/eventos`: one event per state, until the final one. The event's id is its index in the
 * history; the stream starts at the beginning or after `Last-Event-ID`
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * A client that has seen the final state gets 204, which keeps an `EventSource` from reconnecting. When the caller's token
 * expires the stream ends, and a reconnection with that token is refused.
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
  assertMatches(ctx);
  using watch = followers.watch(row.id, quotaKeyOf(ctx.state));
  ctx.status = 200;
  // Keeps nginx from buffering the stream.
  ctx.set({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  if (ctx.method === 'HEAD') return;
  const signal = AbortSignal.any([disconnectSignal(ctx), identityEnd(ctx.state.identifiedUntil)]);
  const events = eventsOf(row, next, { ledger, followers, watch, signal });
  await sendStreamed(ctx, events, streamStallMs);
}

/** The longest delay of a timer. */
const maxTimerMs = 2 ** 31 - 1;

function identityEnd(until: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, Math.min(until - Date.now(), maxTimerMs)));
}

/** Returns the index of the first event to send. An unknown id counts as none. */
function nextEvent(lastEventId: string): number {
  return /^\d{1,6}$/.test(lastEventId) ? Number(lastEventId) + 1 : 0;
}

interface Following {
  readonly ledger: Pick<Ledger, 'get'>;
  readonly followers: Pick<Waiters, 'stopped'>;
  readonly watch: SolicitudWatch;
  readonly signal: AbortSignal;
}

/** Yields the stream's text from the event `first` on. Ends after the final state, or when the client disconnects. */
export async function* eventsOf(
  { id }: Pick<Solicitud, 'id'>,
  first: number,
  { ledger, followers, watch, signal }: Following,
): AsyncGenerator<string, void> {
  yield `retry: ${reconnectMs}\n\n`;
  for (let next = first; ; ) {
    const row = await ledger.get(id);
    if (row === undefined) return;
    for (const { state, at } of row.history.slice(next)) {
      const data = JSON.stringify({ estado: state, momento: new Date(at).toISOString() });
      yield `id: ${next}\ndata: ${data}\n\n`;
      next += 1;
    }
    if (row.closedAt !== undefined) return;
    if (await watch.changed(commentMs, signal)) continue;
    if (followers.stopped || signal.aborted) return;
    yield ': sigue en curso\n\n';
  }
}
