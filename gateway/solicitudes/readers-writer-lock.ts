/** Lets work run beside other work, or alone, in the order in which it comes. */
export interface Turns {
  beside<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Runs when all that came before has ended; what comes later waits for its end. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createTurns(): Turns {
  /** The end of the last work that came to run alone. It and those of the others never reject. */
  let lastAlone: Promise<unknown> = Promise.resolve();
  /** The ends of what came to run beside others since then. */
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
