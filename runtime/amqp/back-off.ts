import { setTimeout as delay } from 'node:timers/promises';

const minMs = 100;
const maxMs = 2_000;

/**
 * How long to wait before the next attempt: at random between 100 ms and a ceiling that doubles with each, up to 2 s, so
 * that those who lost the same broker do not come back all at once. `attempt` is 0 at first.
 */
function pauseMs(attempt: number): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** attempt);
  return minMs + Math.random() * (ceiling - minMs);
}

/** Waits before the next attempt; gives false, at once, when `signal` is aborted. */
export async function backOff(attempt: number, signal: AbortSignal): Promise<boolean> {
  await delay(pauseMs(attempt), undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
