interface Leftover {
  readonly what: string;
  readonly end: () => Promise<unknown>;
}

const running = new Set<Leftover>();

/**
 * Notes what a test has started, so that the run ends it when the test does not: a process that a failed test has left
 * would hold mocha for ever.
 * @returns what notes that it has ended
 */
export function noteStarted(what: string, end: () => Promise<unknown>): () => void {
  const leftover = { what, end };
  running.add(leftover);
  return () => running.delete(leftover);
}

/** Ends all that is left, and gives what that was. */
export async function endLeftovers(): Promise<readonly string[]> {
  const left = [...running];
  await Promise.all(left.map(({ end }) => end()));
  return left.map(({ what }) => what);
}
