/** The gateway trusts a beat for a second, and a beat says when all before it was told: however slow the machine is. */
const longestTrustMs = 1_500;

/** An answer to a question that was asked after a change. */
export interface Told {
  readonly fromCache: boolean;
  /** Whether it knows of the change. */
  readonly knows: boolean;
}

/**
 * Asks until an answer knows of a change that is over; returns `known`, or which answer should have known. Only the cache may lag,
 * and only for requests that begin soon after the change: a slow machine makes requests rarer, not answers older.
 *
 * @param ask undefined when there was no answer
 */
export async function untilKnown(
  ask: () => Promise<Told | undefined>,
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
