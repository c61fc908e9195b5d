import type { Context } from './state.ts';

/** Returns a signal that aborts when the client disconnects before its response was written. */
export function disconnectSignal(ctx: Context): AbortSignal {
  const gone = new AbortController();
  ctx.res.once('close', () => {
    if (!ctx.res.writableFinished) gone.abort();
  });
  if (ctx.res.closed) gone.abort();
  return gone.signal;
}
