import { setTimeout as delay } from 'node:timers/promises';

const minMs = 100;
const maxMs = 2_000;

/**
 * Returns the pause before the next attempt: random between 100 ms and a ceiling that doubles with each attempt, up
 * to 2 s, so that clients of one broker do not come back all at once. `attempt` starts at 0.
 */
function pauseMs(attempt: number): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** attempt);
  return minMs + Math.random() * (ceiling - minMs);
}

/** Waits before the next attempt; returns false, at once, when `signal` is aborted. */
export async function backOff(attempt: number, signal: AbortSignal): Promise<boolean> {
  await delay(pauseMs(attempt), undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
