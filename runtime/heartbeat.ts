import { within } from './timeout.ts';

/**
 * Waits for a result and yields `beat` at an interval meanwhile, so that the stream's reader does not take silence
 * for a service that hangs. Used with `yield*`, which returns the result.
 */
export async function* beating<Beat, Result extends object>(
  promise: Promise<Result>,
  beat: Beat,
  everyMs: number,
): AsyncGenerator<Beat, Result> {
  // The stream may end at a beat; a later failure would be unhandled.
  promise.catch(() => undefined);
  for (;;) {
    const result = await within(everyMs, promise);
    if (result !== undefined) return result;
    yield beat;
  }
}
