import { type ByteString, toText } from '../filesystem/byte-string.ts';
import type { Root } from '../filesystem/root.ts';
import type { Unwatchable } from '../filesystem/unwatchable.ts';
import {
  WatchedFolders,
  type WatchedFoldersOptions,
  type WatchedReading,
} from '../filesystem/watched-folders.ts';
import type { VigilarCambiosResponse } from '../proto/gen/archivos/v1/listado.ts';
import type { CarpetaNoVigilada, Vigencia } from '../proto/gen/archivos/v1/vigilancia.ts';
import { ChangeFeed, type ChangeFeedOptions, type Clock } from '../runtime/change-feed.ts';
import type { ListingPage } from './listing.ts';

/** A page being read from a watched folder. */
export interface PageWatch {
  readonly reading: WatchedReading;
  /** The feed's clock before the reading began. */
  readonly clock: Clock;
}

/** Maximum remembered paths. */
const maxRemembered = 10_000;

export type ChangeWatcherOptions = Pick<WatchedFoldersOptions, 'limit' | 'capacity' | 'tellsChanges'> &
  Pick<ChangeFeedOptions, 'beatMs'>;

/**
 * Watches requested folders and decides whether a page may be cached. A folder is watched from its second request on,
 * while a gateway listens to the feed.
 *
 * The order is: watch, take the clock, read. So every change during the reading has a higher number than the page.
 */
export class ChangeWatcher {
  readonly #folders: WatchedFolders;
  readonly #feed: ChangeFeed<CarpetaNoVigilada>;
  /** Requested paths, least recently requested first. */
  readonly #requested = new Set<string>();
  /** Unwatchable folders that the feed has reported, each with its reason. */
  readonly #noted = new Set<string>();

  constructor(root: Root, options: ChangeWatcherOptions) {
    this.#feed = new ChangeFeed({
      ...options,
      settle: () => this.#folders.settle(),
      onListened: (listened) => {
        this.#noted.clear();
        if (!listened) this.#folders.close();
      },
    });
    this.#folders = new WatchedFolders({
      ...options,
      root,
      onChange: (paths) => this.#feed.changed([...paths].map(textOf)),
      onOverflow: () => this.#feed.everythingChanged(),
      onUnwatchable: (path, why) => this.#unwatchable(path, why),
    });
  }

  /** Begins a reading, before the page is read. Returns undefined when the page should not be cached. */
  begin(parts: readonly ByteString[]): PageWatch | undefined {
    if (!this.#feed.listened || !this.#wasRequested(parts.join('/'))) return undefined;
    const reading = this.#folders.watch(parts);
    return reading && { reading, clock: this.#feed.clock };
  }

  /** Returns the page's validity when everything it shows was watched during the reading, else undefined. */
  validityOf({ reading, clock }: PageWatch, { completo, dependencies }: ListingPage): Vigencia | undefined {
    const { elsewhere, unseen, subfolders } = dependencies;
    if (!completo || elsewhere || unseen || !this.#folders.watchSubfolders(reading, subfolders))
      return undefined;
    const reloj = { instancia: clock.instance, numero: clock.number };
    return { reloj, carpeta: textOf(reading.path) };
  }

  /** Yields the change feed until one of the signals aborts. */
  async *listen(signals: readonly AbortSignal[]): AsyncGenerator<VigilarCambiosResponse, void> {
    for await (const { clock, keys, everything, notes, beatMs } of this.#feed.listen(signals)) {
      const reloj = { instancia: clock.instance, numero: clock.number };
      yield { reloj, carpetas: keys, todo: everything, noVigiladas: notes, latidoMs: beatMs };
    }
  }

  /** Remembers a request for a path; returns whether there was one before. */
  #wasRequested(path: string): boolean {
    const known = this.#requested.delete(path);
    this.#requested.add(path);
    if (this.#requested.size > maxRemembered) {
      for (const first of this.#requested) {
        this.#requested.delete(first);
        break;
      }
    }
    return known;
  }

  /** Reports an unwatchable folder once per reason. */
  #unwatchable(path: ByteString, why: Unwatchable): void {
    const carpeta = textOf(path);
    if (this.#noted.has(`${why} ${carpeta}`)) return;
    if (this.#noted.size >= maxRemembered) this.#noted.clear();
    this.#noted.add(`${why} ${carpeta}`);
    this.#feed.note({ carpeta, motivo: why });
  }
}

function textOf(path: ByteString): string {
  return toText(path).text;
}
