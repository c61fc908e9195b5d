/** Work in steps: after each, others may come in between. */
export type Steps = Iterator<void, void>;

/** How long one turn may take: others wait for it, an event at most that long. */
const turnMs = 10;

/**
 * Does work step by step, some of it before the rest, and gives way to the event loop after each turn. Within a queue it is
 * first come, first served.
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

  /** What is not done yet is dropped. */
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

/** Work of one step. */
export function* once(action: () => void): Generator<void, void> {
  yield action();
}
