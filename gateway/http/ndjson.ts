import type { Context } from './state.ts';
import { sendStreamed } from './streamed.ts';

export const ndjsonType = 'application/x-ndjson; charset=utf-8';

/** Sets the headers of an NDJSON answer. `x-accel-buffering` keeps nginx from buffering the stream. */
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

/** Sends lines as they come. Ends as `sendStreamed` does. */
export function sendLines(ctx: Context, lines: AsyncIterable<string>, stallMs: number): Promise<void> {
  announceLines(ctx);
  return sendStreamed(ctx, lines, stallMs);
}
