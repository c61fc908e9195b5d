import { once } from 'node:events';
import type { Context } from './state.ts';

/**
 * Sends a streamed body with backpressure; status and headers are already set. Resolves when the last piece is sent, or
 * when the client has disconnected or read nothing for `stallMs`, which closes its connection. An error of `pieces` is
 * rethrown, and the connection is cut before the last chunk, so that the client sees it.
 */
export async function sendStreamed(
  ctx: Context,
  pieces: AsyncIterable<string>,
  stallMs: number,
): Promise<void> {
  const { res } = ctx;
  ctx.respond = false;
  res.flushHeaders();
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  // The socket's timeout notices partly read writes. It also fires when there was nothing to read.
  res.setTimeout(stallMs, () => {
    if (res.writableNeedDrain || res.writableEnded) res.destroy();
  });
  try {
    for await (const text of pieces) {
      if (closed.signal.aborted) return;
      ctx.state.sentBytes = (ctx.state.sentBytes ?? 0) + Buffer.byteLength(text);
      if (!res.write(text)) await once(res, 'drain', { signal: closed.signal }).catch(() => undefined);
    }
    res.end();
  } catch (error) {
    res.destroy();
    throw error;
  }
}
