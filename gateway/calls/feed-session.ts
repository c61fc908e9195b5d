import { LRUCache } from 'lru-cache';
import { BeatTime } from './beat-time.ts';

/** A service's logical clock: the number of changes that it reported during one run (`instancia`). */
export interface FeedClock {
  readonly instancia: string;
  readonly numero: number;
}

/** An answer's validity: the clock that it is based on, and the folder whose changes invalidate it. */
export interface Validity {
  readonly reloj: FeedClock;
  readonly carpeta: string;
}

/** A message of a change feed, of any service. */
export interface FeedMessage {
  readonly reloj: FeedClock;
  /** Folders that changed, up to the clock's number. */
  readonly carpetas: readonly string[];
  /** Whether everything may have changed. */
  readonly todo: boolean;
  /** In a beat: all changes up to this time have been reported. Taken from the service's monotonic clock. */
  readonly latidoMs?: number | undefined;
  /** Folders that are no longer watched: answers based on them must not be cached. */
  readonly noVigiladas?: readonly { readonly carpeta: string }[];
}

/** Maximum age of the last beat. A feed silent for longer is not trusted: a frozen service sends nothing. */
const maxSilenceMs = 1_000;
/** Maximum number of folders whose last change is remembered individually. */
const maxFolders = 10_000;

/**
 * An uninterrupted reading of one service's feed, from its first message to its end. Earlier and later changes are
 * unknown, so answers cached under a session become invalid when it ends.
 */
export class FeedSession {
  readonly #instancia: string;
  /** Answers with a smaller number are out of date, whatever their folder. */
  #floor: number;
  readonly #changed = new LRUCache<string, number>({
    max: maxFolders,
    dispose: (numero, _carpeta, why) => {
      if (why === 'evict') this.#floor = Math.max(this.#floor, numero);
    },
  });
  readonly #beatTime = new BeatTime();
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor({ instancia, numero }: FeedClock) {
    this.#instancia = instancia;
    this.#floor = numero;
  }

  /** @param receivedAt monotonic, in milliseconds */
  hear({ reloj, carpetas, todo, latidoMs }: FeedMessage, receivedAt: number): void {
    if (todo) this.#floor = reloj.numero;
    else for (const carpeta of carpetas) this.#changed.set(carpeta, reloj.numero);
    if (latidoMs !== undefined) this.#heardAt = this.#beatTime.of(latidoMs, receivedAt);
  }

  end(): void {
    this.#floor = Number.POSITIVE_INFINITY;
  }

  /** Returns whether an answer includes every reported change, with a beat that is less than a second old. */
  confirms({ reloj, carpeta }: Validity, now: number): boolean {
    return (
      reloj.numero >= this.#floor &&
      reloj.numero >= (this.#changed.peek(carpeta) ?? 0) &&
      reloj.instancia === this.#instancia &&
      now - this.#heardAt < maxSilenceMs
    );
  }
}
