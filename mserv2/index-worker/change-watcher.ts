import { type ByteString, toText } from '../../filesystem/byte-string.ts';
import type { BusquedaServiceVigilarCambiosResponse } from '../../proto/gen/archivos/v1/busqueda.ts';
import { type CarpetaNoVigilada, Motivo } from '../../proto/gen/archivos/v1/vigilancia.ts';
import { ChangeFeed, type ChangeFeedOptions, type Clock } from '../../runtime/change-feed.ts';
import type { Unwatched } from '../crawl/unwatched.ts';
import { wholeIndex } from '../search/search-service.ts';

const motivos = {
  limit: Motivo.MOTIVO_LIMITE,
  'no-events': Motivo.MOTIVO_SIN_EVENTOS,
} as const satisfies Record<Unwatched['why'], Motivo>;

/**
 * The clock of the index's changes, and the feed that tells it. It moves when something happens in the tree, before anybody
 * has looked into that: an answer that was begun after it moved waits until the index knows of it.
 */
export class IndexChangeWatcher {
  readonly #feed: ChangeFeed<CarpetaNoVigilada>;
  #unwatched: readonly CarpetaNoVigilada[] = [];

  constructor(options: Pick<ChangeFeedOptions, 'settle' | 'beatMs'>) {
    this.#feed = new ChangeFeed({ ...options, standing: () => this.#unwatched });
  }

  /** Comes before a search. Undefined when nobody listens: then no answer is kept. */
  begin(): Clock | undefined {
    return this.#feed.listened ? this.#feed.clock : undefined;
  }

  changed(): void {
    this.#feed.changed([wholeIndex]);
  }

  everythingChanged(): void {
    this.#feed.everythingChanged();
  }

  /** The folders that are not watched now, of which those are told that were not told before. */
  unwatched(folders: readonly Unwatched[]): void {
    const before = new Set(this.#unwatched.map(keyOf));
    this.#unwatched = folders.map(({ path, why }) => ({ carpeta: shown(path), motivo: motivos[why] }));
    for (const note of this.#unwatched) if (!before.has(keyOf(note))) this.#feed.note(note);
  }

  /** The feed, until one of the signals is aborted. */
  async *listen(
    signals: readonly AbortSignal[],
  ): AsyncGenerator<BusquedaServiceVigilarCambiosResponse, void> {
    for await (const { notes, ...tidings } of this.#feed.listen(signals))
      yield { ...tidings, noVigiladas: notes };
  }
}

function keyOf({ carpeta, motivo }: CarpetaNoVigilada): string {
  return `${motivo} ${carpeta}`;
}

function shown(path: ByteString): string {
  return toText(path).text;
}
