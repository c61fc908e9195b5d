import { within } from '../../runtime/timeout.ts';

/** The result of a bounded probe. */
export type Timed<Value> =
  | { readonly ok: true; readonly value: Value; readonly latencyMs: number }
  | { readonly ok: false; readonly latencyMs: number };

/** Awaits a probe for at most `ms`. Never rejects: a probe that fails or hangs resolves with `ok: false`. */
export async function timed<Value>(probe: Promise<Value>, ms: number): Promise<Timed<Value>> {
  const start = performance.now();
  const done = await within(
    ms,
    probe.then((value) => ({ value })),
  ).catch(() => undefined);
  const latencyMs = Math.round((performance.now() - start) * 10) / 10;
  return done === undefined ? { ok: false, latencyMs } : { ok: true, ...done, latencyMs };
}
