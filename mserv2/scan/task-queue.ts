/** Work in steps, with other work possible in between. */
export type Steps = Iterator<void, void>;

/** Length of one turn: events wait for it. */
const turnMs = 10;

/**
 * Runs tasks step by step, urgent ones first, and yields to the event loop after each turn. Tasks of one urgency run
 * in their order.
 */
export class TaskQueue {
  #urgent: Steps[] = [];
  #patient: Steps[] = [];
  readonly #afterTurn: () => void;
  #next: NodeJS.Immediate | undefined;

  constructor(afterTurn: () => void) {
    this.#afterTurn = afterTurn;
  }

  urgent(work: Steps): void {
    this.#urgent.push(work);
    this.#schedule();
  }

  patient(work: Steps): void {
    this.#patient.push(work);
    this.#schedule();
  }

  /** Drops all tasks. */
  stop(): void {
    clearImmediate(this.#next);
    this.#urgent = [];
    this.#patient = [];
  }

  #schedule(): void {
    this.#next ??= setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#next = undefined;
    const end = performance.now() + turnMs;
    while (performance.now() < end) {
      const queue = this.#urgent.length > 0 ? this.#urgent : this.#patient;
      const work = queue[0];
      if (work === undefined) break;
      if (work.next().done === true) queue.shift();
    }
    this.#afterTurn();
    if (this.#urgent.length + this.#patient.length > 0) this.#schedule();
  }
}

/** Makes a task of one step. */
export function* once(action: () => void): Generator<void, void> {
  yield action();
}
