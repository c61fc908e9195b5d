const sliceMs = 5;
const longSliceMs = 1;
/** After this much work in one turn of the event loop, new work waits for the next turn. */
const beginMs = 1;

/**
 * Cuts long synchronous work into slices and yields to the event loop between them. Stops when the signal aborts.
 *
 * File system calls are synchronous because an lstat takes 4 µs, and 10 µs through the thread pool.
 */
export class Slices {
  readonly #signal: AbortSignal;
  readonly #longMs: number;
  #began = performance.now();
  #end = this.#began + sliceMs;
  #workedMs = 0;

  /** @param longMs total work after which slices become shorter, so that short requests do not wait for long ones */
  constructor(signal: AbortSignal, longMs = 20) {
    signal.throwIfAborted();
    this.#signal = signal;
    this.#longMs = longMs;
  }

  /**
   * Returns whether other work has used up this turn of the event loop; then await `next` before the work begins.
   *
   * Otherwise thirty short calls that arrive together would form one long block: the first answer would be sent
   * only after the last one is computed.
   */
  crowded(): boolean {
    return performance.now() > beginningOfTurn() + beginMs;
  }

  /** Returns whether the slice is used up; then await `next` before more work. */
  over(): boolean {
    return performance.now() >= this.#end;
  }

  /**
   * Waits for the event loop's next free turn.
   * @throws the signal's reason
   */
  async next(): Promise<void> {
    this.#workedMs += performance.now() - this.#began;
    await turn();
    this.#signal.throwIfAborted();
    this.#began = performance.now();
    this.#end = this.#began + (this.#workedMs < this.#longMs ? sliceMs : longSliceMs);
  }
}

/** Time at which this turn's first work began; undefined before it. */
let began: number | undefined;

function beginningOfTurn(): number {
  if (began === undefined) {
    began = performance.now();
    setImmediate(() => {
      began = undefined;
    });
  }
  return began;
}

/**
 * Work that waits for a turn. One item continues per round of the event loop; together they would form one long
 * block.
 */
const waiting: (() => void)[] = [];

/** Returns whether other work waits for a turn; the current work should then yield soon. */
export function othersWait(): boolean {
  return waiting.length > 0;
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(pass);
  });
}

function pass(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(pass);
}
