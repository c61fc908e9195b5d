/** The result of a bounded probe. `latencyMs` is the bound itself after a timeout. */
export type Timed<Value> =
  | { readonly ok: true; readonly value: Value; readonly latencyMs: number }
  | { readonly ok: false; readonly latencyMs: number };

/** Awaits a probe for at most `ms`. Never rejects: a probe that fails or hangs resolves with `ok: false`. */
export async function timed<Value>(probe: Promise<Value>, ms: number): Promise<Timed<Value>> {
  const start = performance.now();
  const latencyMs = () => Math.round((performance.now() - start) * 10) / 10;
  const { promise: late, resolve } = Promise.withResolvers<Timed<Value>>();
  const timer = setTimeout(() => resolve({ ok: false, latencyMs: ms }), ms);
  const done = probe.then(
    (value): Timed<Value> => ({ ok: true, value, latencyMs: latencyMs() }),
    (): Timed<Value> => ({ ok: false, latencyMs: latencyMs() }),
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
