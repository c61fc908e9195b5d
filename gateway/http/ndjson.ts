import type { Context } from './state.ts';
import { sendStreamed } from './streamed.ts';

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

/** Sends lines as they come, as sendStreamed does it. */
export function sendLines(ctx: Context, lines: AsyncIterable<string>, stallMs: number): Promise<void> {
  announceLines(ctx);
  return sendStreamed(ctx, lines, stallMs);
}
