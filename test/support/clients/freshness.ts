/**
 * Longest time that a cached answer may be stale. The gateway trusts a heartbeat for a second, on a slow machine too,
 * because the heartbeat carries the time up to which all changes are reported.
 */
const longestTrustMs = 1_500;

/** Answer to a request sent after a change. */
export interface ObservedAnswer {
  readonly fromCache: boolean;
  /** Whether the answer includes the change. */
  readonly knows: boolean;
}

/**
 * Repeats a request until its answer includes a completed change. Returns `known`, or which stale answer is an error: any
 * from a call, or one from the cache to a request that began too late after the change. A slow machine makes requests
 * rarer, not answers older.
 *
 * @param ask resolves with undefined when there was no answer
 */
export async function untilKnown(
  ask: () => Promise<ObservedAnswer | undefined>,
): Promise<'known' | 'a call did not know' | 'the cache did not know'> {
  const changedAt = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const told = await ask();
    if (told === undefined) continue;
    if (told.knows) return 'known';
    if (!told.fromCache) return 'a call did not know';
    if (askedAt - changedAt > longestTrustMs) return 'the cache did not know';
  }
}
