import { once } from 'node:events';
import type { Context } from './state.ts';

export const ndjsonType = 'application/x-ndjson; charset=utf-8';

/** The headers of an answer in lines. A proxy that collected them would undo what they are for. */
export function announceLines(ctx: Context): void {
  ctx.state.servidoPor = 'grpc';
  ctx.status = 200;
  ctx.set({
    'content-type': ndjsonType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'servido-por': 'grpc',
  });
}

/**
 * Sends lines as they come, and no faster than they are taken. Resolves when the last one is out, and also when the client
 * has gone away, or has read nothing for `stallMs`, which ends its connection. When the lines end with an error, that
 * is thrown, and the connection is cut without the last chunk, so that the client knows.
 */
export async function sendLines(ctx: Context, lines: AsyncIterable<string>, stallMs: number): Promise<void> {
  const { res } = ctx;
  ctx.respond = false;
  announceLines(ctx);
  res.flushHeaders();
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  // Node's own clock of the socket, because it sees when a part of a write was taken. It also rings when there was nothing to take.
  res.setTimeout(stallMs, () => {
    if (res.writableNeedDrain || res.writableEnded) res.destroy();
  });
  try {
    for await (const text of lines) {
      if (closed.signal.aborted) return;
      if (!res.write(text)) await once(res, 'drain', { signal: closed.signal }).catch(() => undefined);
    }
    res.end();
  } catch (error) {
    res.destroy();
    throw error;
  }
}
