import { type ByteString, toText } from '../filesystem/byte-string.ts';
import type { Root } from '../filesystem/root.ts';
import {
  type Reading,
  type Unwatchable,
  WatchedFolders,
  type WatchedFoldersOptions,
} from '../filesystem/watched-folders.ts';
import type { VigilarCambiosResponse } from '../proto/gen/archivos/v1/listado.ts';
import { type CarpetaNoVigilada, Motivo, type Vigencia } from '../proto/gen/archivos/v1/vigilancia.ts';
import { ChangeFeed, type ChangeFeedOptions, type Clock } from '../runtime/change-feed.ts';
import type { ListingPage } from './listing.ts';

/** A page that is being read, of a folder that is watched. */
export interface Watch {
  readonly reading: Reading;
  /** Before the first of it was read. */
  readonly clock: Clock;
}

const motivos = {
  limit: Motivo.MOTIVO_LIMITE,
  'no-events': Motivo.MOTIVO_SIN_EVENTOS,
} as const satisfies Record<Unwatchable, Motivo>;

/** Folders whose having been asked for once is remembered. */
const mostRemembered = 10_000;

export type VigilOptions = Pick<WatchedFoldersOptions, 'limit' | 'capacity' | 'tellsChanges'> &
  Pick<ChangeFeedOptions, 'beatMs'>;

/**
 * Watches the folders that are asked for a second time, as long as somebody listens, and says of a page whether it may
 * be kept: watch, take the clock, read, in this order. So whatever changes in between has a number above the page's.
 */
export class Vigil {
  readonly #folders: WatchedFolders;
  readonly #feed: ChangeFeed<CarpetaNoVigilada>;
  /** The one asked for least recently is the first. */
  readonly #askedFor = new Set<string>();
  readonly #told = new Set<string>();

  constructor(root: Root, options: VigilOptions) {
    this.#feed = new ChangeFeed({
      ...options,
      settle: () => this.#folders.settle(),
      onListened: (listened) => {
        this.#told.clear();
        if (!listened) this.#folders.close();
      },
    });
    this.#folders = new WatchedFolders({
      ...options,
      root,
      onChange: (paths) => this.#feed.changed([...paths].map(shown)),
      onOverflow: () => this.#feed.everythingChanged(),
      onUnwatchable: (path, why) => this.#unwatchable(path, why),
    });
  }

  /** Comes before a page is read. Undefined when it is not to be kept. */
  begin(parts: readonly ByteString[]): Watch | undefined {
    if (!this.#feed.listened || !this.#askedBefore(parts.join('/'))) return undefined;
    const reading = this.#folders.watch(parts);
    return reading && { reading, clock: this.#feed.clock };
  }

  /** Whether all that a page tells is watched, and was all the time. */
  vouch({ reading, clock }: Watch, { completo, grounds }: ListingPage): Vigencia | undefined {
    const { elsewhere, unseen, subfolders } = grounds;
    if (!completo || elsewhere || unseen || !this.#folders.watchSubfolders(reading, subfolders))
      return undefined;
    return { reloj: clock, carpeta: shown(reading.path) };
  }

  /** The feed, until one of the signals is aborted. */
  async *listen(signals: readonly AbortSignal[]): AsyncGenerator<VigilarCambiosResponse, void> {
    for await (const { notes, ...tidings } of this.#feed.listen(signals))
      yield { ...tidings, noVigiladas: notes };
  }

  #askedBefore(path: string): boolean {
    const asked = this.#askedFor.delete(path);
    this.#askedFor.add(path);
    if (this.#askedFor.size > mostRemembered) {
      for (const first of this.#askedFor) {
        this.#askedFor.delete(first);
        break;
      }
    }
    return asked;
  }

  /** Told once, however often it is asked for. */
  #unwatchable(path: ByteString, why: Unwatchable): void {
    const carpeta = shown(path);
    if (this.#told.has(`${why} ${carpeta}`)) return;
    if (this.#told.size >= mostRemembered) this.#told.clear();
    this.#told.add(`${why} ${carpeta}`);
    this.#feed.note({ carpeta, motivo: motivos[why] });
  }
}

function shown(path: ByteString): string {
  return toText(path).text;
}
