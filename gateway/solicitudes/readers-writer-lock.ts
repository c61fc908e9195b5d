/** A readers-writer lock: runs work concurrently (`shared`) or exclusively (`exclusive`), in order of arrival. */
export interface ReadersWriterLock {
  shared<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Runs after all earlier work has ended; later work waits for its end. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createReadersWriterLock(): ReadersWriterLock {
  /** The end of the last exclusive work. None of these promises rejects. */
  let lastExclusive: Promise<unknown> = Promise.resolve();
  /** The ends of the concurrent work since then. */
  let shared: Promise<unknown>[] = [];

  return {
    shared(work) {
      const running = lastExclusive.then(work);
      const end = running
        .catch(() => undefined)
        .then(() => {
          shared = shared.filter((other) => other !== end);
        });
      shared.push(end);
      return running;
    },
    exclusive(work) {
      const running = Promise.all([lastExclusive, ...shared]).then(work);
      lastExclusive = running.catch(() => undefined);
      shared = [];
      return running;
    },
  };
}
