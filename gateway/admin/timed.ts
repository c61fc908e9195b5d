/** How a probe went; `latencyMs` is the bound itself when it was not done in time. */
export type Timed<Value> =
  | { readonly ok: true; readonly value: Value; readonly latencyMs: number }
  | { readonly ok: false; readonly latencyMs: number };

/** Waits for a probe, but no longer than `ms`. Never rejects: a probe that fails and one that hangs are both not ok. */
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
