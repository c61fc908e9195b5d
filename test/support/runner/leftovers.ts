interface Leftover {
  readonly what: string;
  readonly end: () => Promise<unknown>;
}

const running = new Set<Leftover>();

/**
 * Registers a process that a test started, so that the run ends it when the test does not. A process left by a failed
 * test would keep mocha from ending.
 * @returns a function that removes the registration
 */
export function registerStarted(what: string, end: () => Promise<unknown>): () => void {
  const leftover = { what, end };
  running.add(leftover);
  return () => running.delete(leftover);
}

/** Ends all registered processes; returns their names. */
export async function endLeftovers(): Promise<readonly string[]> {
  const left = [...running];
  await Promise.all(left.map(({ end }) => end()));
  return left.map(({ what }) => what);
}
