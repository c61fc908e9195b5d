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

const lineBreaks = /[\u0085\u2028\u2029]/g;

/**
 * Returns values as lines of JSON. JSON may hold U+0085, U+2028 and U+2029 as they are, but readers that split by
 * Unicode's line breaks, such as Python's `splitlines`, would cut a line there; so they are escaped.
 */
export function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value).replace(lineBreaks, escaped)}\n`).join('');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Sends lines as they come. Ends as `sendStreamed` does. */
export function sendLines(ctx: Context, lines: AsyncIterable<string>, stallMs: number): Promise<void> {
  announceLines(ctx);
  return sendStreamed(ctx, lines, stallMs);
}
