import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** How many changes one run of a service has told of. */
export interface Clock {
  /** Another run's numbers cannot be compared with this one's. */
  readonly instancia: string;
  readonly numero: number;
}

/** What a listener is told: all that has come together since the last time. */
export interface Tidings<Note> {
  readonly reloj: Clock;
  readonly carpetas: string[];
  /** Anything may have changed. */
  readonly todo: boolean;
  readonly notes: Note[];
  /** A beat: all that happened before this time is told. Monotonic, in milliseconds. */
  readonly latidoMs: number | undefined;
}

export interface ChangeFeedOptions<Note = never> {
  /** Resolves when all that had happened before the call was told to this feed. Comes before every beat. */
  readonly settle: () => Promise<void>;
  /** Milliseconds between two beats. Default 250. */
  readonly beatMs?: number;
  /** Called with false when the last listener has gone, and with true when there is one again. */
  readonly onListened?: (listened: boolean) => void;
  /** Notes that each new listener is told first. */
  readonly standing?: () => readonly Note[];
}

/** Between two messages that are no beats, milliseconds: what comes meanwhile is told together. */
const gatherMs = 5;
/** A listener that takes its messages more slowly than so many folders change is told that everything did. */
const mostFolders = 10_000;

interface Listener<Note> {
  carpetas: Set<string>;
  todo: boolean;
  notes: Note[];
  wake: () => void;
}

/** Tells whoever listens what changes, in order, with a clock, and with beats that say that nothing was left out. */
export class ChangeFeed<Note = never> {
  readonly #options: ChangeFeedOptions<Note>;
  readonly #instancia = randomUUID();
  readonly #listeners = new Set<Listener<Note>>();
  #numero = 0;

  constructor(options: ChangeFeedOptions<Note>) {
    this.#options = options;
  }

  /** What is read from now on holds all changes up to this number, and perhaps later ones. */
  get clock(): Clock {
    return { instancia: this.#instancia, numero: this.#numero };
  }

  get listened(): boolean {
    return this.#listeners.size > 0;
  }

  changed(carpetas: Iterable<string>): void {
    this.#numero += 1;
    const all = [...carpetas];
    this.#tell((listener) => {
      for (const carpeta of all) listener.carpetas.add(carpeta);
      if (listener.carpetas.size > mostFolders) listener.todo = true;
    });
  }

  everythingChanged(): void {
    this.#numero += 1;
    this.#tell((listener) => {
      listener.todo = true;
    });
  }

  /** Something that listeners had better know, and that changes nothing. */
  note(note: Note): void {
    this.#tell((listener) => {
      if (listener.notes.length < mostFolders) listener.notes.push(note);
    });
  }

  /**
   * Everything from now on, until one of the signals is aborted: the clock at once, what changes within milliseconds, and
   * beats. A slow listener is told the same in fewer messages.
   */
  async *listen(signals: readonly AbortSignal[]): AsyncGenerator<Tidings<Note>, void> {
    const { settle, beatMs = 250, onListened, standing } = this.#options;
    const over = AbortSignal.any([...signals]);
    const notes = [...(standing?.() ?? [])];
    const listener: Listener<Note> = { carpetas: new Set(), todo: false, notes, wake: () => undefined };
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) onListened?.(true);
    over.addEventListener('abort', () => listener.wake());
    try {
      yield this.#take(listener, undefined);
      let beatAt = performance.now();
      let toldAt = Number.NEGATIVE_INFINITY;
      while (!over.aborted) {
        const news = await this.#newsWithin(listener, beatAt - performance.now());
        if (over.aborted) return;
        // However much there is to tell, beats come in time.
        if (news && performance.now() < beatAt) {
          const early = gatherMs - (performance.now() - toldAt);
          if (early > 0) await delay(early);
          yield this.#take(listener, undefined);
          toldAt = performance.now();
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
        // What changes from now on nobody tells: what was read before is not good for who listens next.
        this.#numero += 1;
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

  #take(listener: Listener<Note>, latidoMs: number | undefined): Tidings<Note> {
    const { carpetas, todo, notes } = listener;
    listener.carpetas = new Set();
    listener.todo = false;
    listener.notes = [];
    return { reloj: this.clock, carpetas: todo ? [] : [...carpetas], todo, notes, latidoMs };
  }

  #tell(add: (listener: Listener<Note>) => void): void {
    for (const listener of this.#listeners) {
      add(listener);
      listener.wake();
    }
  }
}

function isNews<Note>({ carpetas, todo, notes }: Listener<Note>): boolean {
  return todo || carpetas.size > 0 || notes.length > 0;
}
