import { LRUCache } from 'lru-cache';
import { BeatTime } from './beat-time.ts';

/** How many changes a service has told of, in one of its runs. */
export interface Clock {
  readonly instancia: string;
  readonly numero: number;
}

/** What an answer says of itself when it may be kept: as of which number it is, and what changes it. */
export interface Vigencia {
  readonly reloj: Clock;
  readonly carpeta: string;
}

/** A message of a feed, whichever service it comes from. */
export interface Tidings {
  readonly reloj: Clock;
  /** What changed, up to the clock's number. */
  readonly carpetas: readonly string[];
  /** Everything may have. */
  readonly todo: boolean;
  /** Of a beat: all that had happened by then is told. On a monotonic clock of the service's. */
  readonly latidoMs: number | undefined;
  /** Where changes are told of no more: answers that rest on it are not to be kept. */
  readonly noVigiladas?: readonly { readonly carpeta: string }[];
}

/** Beyond this the feed is not trusted any more: a service that is frozen sends nothing. */
const longestSilenceMs = 1_000;
/** Folders whose last change is remembered one by one. */
const mostFolders = 10_000;

/**
 * One uninterrupted hearing of one service's feed: from its first message, in order, to its end. What changed before, or
 * after, nobody knows; so what is kept under a session dies with it.
 */
export class FeedSession {
  readonly #instancia: string;
  /** Numbers below it are out of date, whatever their folder. */
  #floor: number;
  readonly #changed = new LRUCache<string, number>({
    max: mostFolders,
    dispose: (numero, _carpeta, why) => {
      if (why === 'evict') this.#floor = Math.max(this.#floor, numero);
    },
  });
  readonly #beatTime = new BeatTime();
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor({ reloj }: Tidings) {
    this.#instancia = reloj.instancia;
    this.#floor = reloj.numero;
  }

  /** @param receivedAt monotonic, in milliseconds */
  hear({ reloj, carpetas, todo, latidoMs }: Tidings, receivedAt: number): void {
    if (todo) this.#floor = reloj.numero;
    else for (const carpeta of carpetas) this.#changed.set(carpeta, reloj.numero);
    if (latidoMs !== undefined) this.#heardAt = this.#beatTime.of(latidoMs, receivedAt);
  }

  end(): void {
    this.#floor = Number.POSITIVE_INFINITY;
  }

  /** Whether no change has been told that the answer does not hold, of all that had happened a second before `now`. */
  vouches({ reloj, carpeta }: Vigencia, now: number): boolean {
    return (
      reloj.numero >= this.#floor &&
      reloj.numero >= (this.#changed.peek(carpeta) ?? 0) &&
      reloj.instancia === this.#instancia &&
      now - this.#heardAt < longestSilenceMs
    );
  }
}
