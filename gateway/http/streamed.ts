import { once } from 'node:events';
import type { Context } from './state.ts';

/**
 * Sends an answer in pieces as they come, and no faster than they are taken; status and headers are set already. Resolves
 * when the last one is out, and also when the client has gone away, or has read nothing for `stallMs`, which ends its
 * connection. When the pieces end with an error, that is thrown, and the connection is cut without the last chunk, so
 * that the client knows.
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
  // Node's own clock of the socket, because it sees when a part of a write was taken. It also rings when there was nothing to take.
  res.setTimeout(stallMs, () => {
    if (res.writableNeedDrain || res.writableEnded) res.destroy();
  });
  try {
    for await (const text of pieces) {
      if (closed.signal.aborted) return;
      ctx.state.streamedBytes = (ctx.state.streamedBytes ?? 0) + Buffer.byteLength(text);
      if (!res.write(text)) await once(res, 'drain', { signal: closed.signal }).catch(() => undefined);
    }
    res.end();
  } catch (error) {
    res.destroy();
    throw error;
  }
}
