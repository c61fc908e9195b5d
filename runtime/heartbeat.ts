import { within } from './timeout.ts';

/**
 * Waits for a result, and meanwhile yields `beat` every so often: whoever listens to a stream takes silence for a
 * service that hangs. Used with `yield*`, which gives the result.
 */
export async function* beating<Beat, Result extends object>(
  promise: Promise<Result>,
  beat: Beat,
  everyMs: number,
): AsyncGenerator<Beat, Result> {
  // Nobody is left to hear of its failure when the stream was ended at a beat.
  promise.catch(() => undefined);
  for (;;) {
    const result = await within(everyMs, promise);
    if (result !== undefined) return result;
    yield beat;
  }
}
