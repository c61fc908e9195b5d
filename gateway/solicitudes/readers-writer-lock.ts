/** A readers-writer lock: runs work concurrently (`beside`) or exclusively (`alone`), in order of arrival. */
export interface Turns {
  beside<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Runs after all earlier work has ended; later work waits for its end. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createTurns(): Turns {
  /** The end of the last exclusive work. None of these promises rejects. */
  let lastAlone: Promise<unknown> = Promise.resolve();
  /** The ends of the concurrent work since then. */
  let others: Promise<unknown>[] = [];

  return {
    beside(work) {
      const running = lastAlone.then(work);
      const end = running
        .catch(() => undefined)
        .then(() => {
          others = others.filter((other) => other !== end);
        });
      others.push(end);
      return running;
    },
    alone(work) {
      const running = Promise.all([lastAlone, ...others]).then(work);
      lastAlone = running.catch(() => undefined);
      others = [];
      return running;
    },
  };
}
