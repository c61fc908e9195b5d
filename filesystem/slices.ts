const sliceMs = 5;
const longSliceMs = 1;
/** Past it nobody begins in the same turn of the event loop. */
const beginMs = 1;

/**
 * Cuts long synchronous work into slices, with the event loop's turn between them, and ends it when its caller is
 * gone. File system calls are made synchronously because a lstat costs 4 µs and the way through the thread pool 10.
 */
export class Slices {
  readonly #signal: AbortSignal;
  readonly #longMs: number;
  #began = performance.now();
  #end = this.#began + sliceMs;
  #workedMs = 0;

  /** @param longMs who has worked for so long goes on in shorter slices: what is short need not wait for what is long */
  constructor(signal: AbortSignal, longMs = 20) {
    signal.throwIfAborted();
    this.#signal = signal;
    this.#longMs = longMs;
  }

  /**
   * True when others have worked in this turn of the event loop: `next` is to be awaited before the work begins. Thirty short
   * calls that arrive together would else be one long block, the first answer sent after the last was made, and
   * whoever asked would have nothing to do meanwhile.
   */
  crowded(): boolean {
    return performance.now() > beginningOfTurn() + beginMs;
  }

  /** True when `next` must be awaited before any more work. */
  over(): boolean {
    return performance.now() >= this.#end;
  }

  /** @throws the signal's reason */
  async next(): Promise<void> {
    this.#workedMs += performance.now() - this.#began;
    await turn();
    this.#signal.throwIfAborted();
    this.#began = performance.now();
    this.#end = this.#began + (this.#workedMs < this.#longMs ? sliceMs : longSliceMs);
  }
}

/** When the first began in this turn of the event loop; undefined when nobody did. */
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

/** Everybody who waits for a turn. One of them goes on per round of the event loop, else many would add up to one long block. */
const waiting: (() => void)[] = [];

/** Whether somebody waits for a turn of the event loop: whoever has it should not keep it for long. */
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
