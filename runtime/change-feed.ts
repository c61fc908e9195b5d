import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** A point in the sequence of changes that one run of a process has reported. */
export interface Clock {
  /** Identifies the run; numbers of two runs cannot be compared. */
  readonly instance: string;
  readonly number: number;
}

/** One message to a listener: everything that happened since the message before. */
export interface ChangeMessage<Note> {
  readonly clock: Clock;
  /** Keys of what changed; empty when `everything` is set. */
  readonly keys: string[];
  /** Anything may have changed. */
  readonly everything: boolean;
  readonly notes: Note[];
  /** Set in a beat: every change before this time is reported. Monotonic, in milliseconds. */
  readonly beatMs: number | undefined;
}

export interface ChangeFeedOptions<Note = never> {
  /** Resolves when every change before the call is reported to this feed. Called before each beat. */
  readonly settle: () => Promise<void>;
  /** Milliseconds between two beats. Default 250. */
  readonly beatMs?: number;
  /** Called with true when the first listener comes, and with false when the last one has left. */
  readonly onListened?: (listened: boolean) => void;
  /** Returns the notes that a new listener gets first. */
  readonly standing?: () => readonly Note[];
}

/** Milliseconds between two messages that are no beats; changes in between share a message. */
const gatherMs = 5;
/** A listener that lags behind by more keys gets `everything` instead. */
const maxKeys = 10_000;

interface Listener<Note> {
  keys: Set<string>;
  everything: boolean;
  notes: Note[];
  wake: () => void;
}

/** Reports changes to its listeners, in order, with a clock, and with beats that confirm that none is missing. */
export class ChangeFeed<Note = never> {
  readonly #options: ChangeFeedOptions<Note>;
  readonly #instance = randomUUID();
  readonly #listeners = new Set<Listener<Note>>();
  #number = 0;

  constructor(options: ChangeFeedOptions<Note>) {
    this.#options = options;
  }

  /** Returns the current clock. Data read after this call includes every change up to it, and perhaps later ones. */
  get clock(): Clock {
    return { instance: this.#instance, number: this.#number };
  }

  get listened(): boolean {
    return this.#listeners.size > 0;
  }

  changed(keys: Iterable<string>): void {
    this.#number += 1;
    const all = [...keys];
    this.#tell((listener) => {
      for (const key of all) listener.keys.add(key);
      if (listener.keys.size > maxKeys) listener.everything = true;
    });
  }

  everythingChanged(): void {
    this.#number += 1;
    this.#tell((listener) => {
      listener.everything = true;
    });
  }

  /** Sends listeners a note. Nothing has changed: the clock stays. */
  note(note: Note): void {
    this.#tell((listener) => {
      if (listener.notes.length < maxKeys) listener.notes.push(note);
    });
  }

  /**
   * Yields the clock at once, then changes within milliseconds, and beats, until one of the signals is aborted. A slow
   * listener gets the same in fewer messages.
   */
  async *listen(signals: readonly AbortSignal[]): AsyncGenerator<ChangeMessage<Note>, void> {
    const { settle, beatMs = 250, onListened, standing } = this.#options;
    const over = AbortSignal.any([...signals]);
    const notes = [...(standing?.() ?? [])];
    const listener: Listener<Note> = { keys: new Set(), everything: false, notes, wake: () => undefined };
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) onListened?.(true);
    over.addEventListener('abort', () => listener.wake());
    try {
      yield this.#take(listener, undefined);
      let beatAt = performance.now();
      let sentAt = Number.NEGATIVE_INFINITY;
      while (!over.aborted) {
        const news = await this.#newsWithin(listener, beatAt - performance.now());
        if (over.aborted) return;
        // A beat that is due goes first, however many changes wait.
        if (news && performance.now() < beatAt) {
          const early = gatherMs - (performance.now() - sentAt);
          if (early > 0) await delay(early);
          yield this.#take(listener, undefined);
          sentAt = performance.now();
          continue;
        }
        const asOf = performance.now();
        await settle();
        yield this.#take(listener, asOf);
        beatAt = asOf + beatMs;
      }
    } finally {
      this.#listeners.delete(listener);
      if (!this.listened) {
        // Changes from now on are not reported: the next listener must not trust data read before.
        this.#number += 1;
        onListened?.(false);
      }
    }
  }

  async #newsWithin(listener: Listener<Note>, ms: number): Promise<boolean> {
    if (isNews(listener) || ms <= 0) return isNews(listener);
    const { promise, resolve } = Promise.withResolvers<void>();
    listener.wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    return isNews(listener);
  }

  #take(listener: Listener<Note>, beatMs: number | undefined): ChangeMessage<Note> {
    const { keys, everything, notes } = listener;
    listener.keys = new Set();
    listener.everything = false;
    listener.notes = [];
    return { clock: this.clock, keys: everything ? [] : [...keys], everything, notes, beatMs };
  }

  #tell(add: (listener: Listener<Note>) => void): void {
    for (const listener of this.#listeners) {
      add(listener);
      listener.wake();
    }
  }
}

function isNews<Note>({ keys, everything, notes }: Listener<Note>): boolean {
  return everything || keys.size > 0 || notes.length > 0;
}
