import { toText } from '../../filesystem/byte-string.ts';
import type { BusquedaServiceVigilarCambiosResponse } from '../../proto/gen/archivos/v1/busqueda.ts';
import type { CarpetaNoVigilada } from '../../proto/gen/archivos/v1/vigilancia.ts';
import { ChangeFeed, type ChangeFeedOptions, type Clock } from '../../runtime/change-feed.ts';
import type { Unwatched } from '../crawl/unwatched.ts';
import { wholeIndex } from '../search/search-service.ts';

/**
 * Keeps the clock of the index's changes and reports it in a feed. The clock moves as soon as something happens in the
 * tree, before the index knows what: a search that begins later waits until the index has caught up.
 */
export class IndexChangeWatcher {
  readonly #feed: ChangeFeed<CarpetaNoVigilada>;
  #unwatched: readonly CarpetaNoVigilada[] = [];

  constructor(options: Pick<ChangeFeedOptions, 'settle' | 'beatMs'>) {
    this.#feed = new ChangeFeed({ ...options, standing: () => this.#unwatched });
  }

  /** Returns the clock from before a search; undefined without a listener, when no answer can be cached. */
  begin(): Clock | undefined {
    return this.#feed.listened ? this.#feed.clock : undefined;
  }

  changed(): void {
    this.#feed.changed([wholeIndex]);
  }

  everythingChanged(): void {
    this.#feed.everythingChanged();
  }

  /** Sets the folders that are not watched now, and reports those that are new. */
  unwatched(folders: readonly Unwatched[]): void {
    const before = new Set(this.#unwatched.map(keyOf));
    this.#unwatched = folders.map(({ path, why }) => ({ carpeta: toText(path).text, motivo: why }));
    for (const note of this.#unwatched) if (!before.has(keyOf(note))) this.#feed.note(note);
  }

  /** Yields the feed until one of the signals is aborted. */
  async *listen(
    signals: readonly AbortSignal[],
  ): AsyncGenerator<BusquedaServiceVigilarCambiosResponse, void> {
    for await (const { clock, keys, everything, notes, beatMs } of this.#feed.listen(signals)) {
      const reloj = { instancia: clock.instance, numero: clock.number };
      yield { reloj, carpetas: keys, todo: everything, noVigiladas: notes, latidoMs: beatMs };
    }
  }
}

function keyOf({ carpeta, motivo }: CarpetaNoVigilada): string {
  return `${motivo} ${carpeta}`;
}
