import { opendirSync } from 'node:fs';
import { type ByteString, folderOf, lastPart, toPath } from '../../filesystem/byte-string.ts';
import { type Entry, entryOf } from '../../filesystem/entry.ts';
import { type EntryError, EntryErrors } from '../../filesystem/entry-errors.ts';
import { errnoOf, FileError, folderFailure } from '../../filesystem/file-error.ts';
import { type Folder, type Stats, statsOf } from '../../filesystem/folder.ts';
import { FolderChain } from '../../filesystem/folder-chain.ts';
import { groupByFolder } from '../../filesystem/folder-order.ts';
import { Kind } from '../../filesystem/kind.ts';
import type { Root } from '../../filesystem/root.ts';
import { Slices } from '../../filesystem/slices.ts';
import { itself } from '../../filesystem/watches.ts';
import {
  type BuscarArchivosRequest,
  type BuscarArchivosResponse,
  EstadoIndice,
  type Hallazgo,
  type Indice,
  type TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Vigencia } from '../../proto/gen/archivos/v1/vigilancia.ts';
import type { Clock } from '../../runtime/change-feed.ts';
import type { Crawler, Knowledge } from '../crawl/crawler.ts';
import { passesStats } from '../index/filters.ts';
import type { MemoryIndex } from '../index/memory-index.ts';
import { matchingPaths, type Pace, search, searchAll } from '../index/search.ts';
import type { Hit, SearchQuery } from '../index/search-api.ts';
import { lstatAll } from '../scan/bulk-lstat.ts';
import { Precedence } from './precedence.ts';
import { toSearchQuery } from './query.ts';
import { type SearchOptions, wholeIndex } from './search-service.ts';
import { part, partSize } from './streams.ts';

export interface IndexSearcherOptions {
  readonly root: Root;
  readonly index: MemoryIndex;
  readonly crawler: Crawler;
  /**
   * Time that a search waits for the latest changes; then its answer is marked as incomplete. Default 250.
   */
  readonly catchUpMs?: number;
}

/** Facts that a page depends on, besides events in watched folders. */
interface PageDependencies {
  /**
   * Whether the page shows a link's target, or a file with another hard link, through which it may be written, was
   * read for it.
   */
  elsewhere: boolean;
}

/** Entries that are read before a search by size or date, at most: 25 ms of work. */
const maxRefreshed = 5000;
/** Entries read at a time: shorter than a slice. */
const readAtOnce = 256;
/** Errors of one answer at most. */
const maxErrors = 1000;

const estados = {
  construyendo: EstadoIndice.ESTADO_INDICE_CONSTRUYENDO,
  verificando: EstadoIndice.ESTADO_INDICE_VERIFICANDO,
  listo: EstadoIndice.ESTADO_INDICE_LISTO,
} as const satisfies Record<Knowledge, EstadoIndice>;

/**
 * Answers searches from the index, and checks every entry on disk, so that no answer shows a missing entry.
 */
export class IndexSearcher {
  readonly #options: IndexSearcherOptions;
  readonly #precedence = new Precedence();

  constructor(options: IndexSearcherOptions) {
    this.#options = options;
  }

  /** @throws FileError, and the signal's reason */
  async page(
    request: BuscarArchivosRequest,
    { signal, whenReady, clock }: SearchOptions,
  ): Promise<BuscarArchivosResponse> {
    const { index, crawler, catchUpMs = 250 } = this.#options;
    const query = toSearchQuery(request);
    const rootFailure = crawler.checkRoot();
    if (rootFailure !== undefined) throw rootFailure;
    using slices = this.#precedence.begin(signal, crawler.knowledge !== 'listo');
    // The clock was read before: any later change has a greater number.
    const watched = clock !== undefined && crawler.watchesAll;
    const knowledge = this.#lookAtStart(query.parts, await crawler.caughtUp(catchUpMs));
    if (whenReady && knowledge !== 'listo') throw notReady();
    const indice = this.#indice(knowledge);
    const errors = new EntryErrors();
    const dependencies: PageDependencies = { elsewhere: false };
    slices.begin();
    if (isByStats(query)) await this.#refresh(query, slices, errors, dependencies);
    const found = await search(index, query, slices);
    const archivos = await this.#lookAt(found.hits, query, errors, signal, dependencies);
    const start = query.parts.join('/') as ByteString;
    const errores = merge(crawler.unreadable.below(start, query.hidden), errors.items());
    const completo = knowledge === 'listo' && errores.length === 0;
    const sure = watched && completo && !dependencies.elsewhere && crawler.watchesAll;
    return {
      archivos,
      siguiente: found.siguiente,
      completo,
      errores,
      total: found.total - (found.hits.length - archivos.length),
      indice,
      vigencia: sure ? validityAt(clock) : undefined,
    };
  }

  /**
   * Yields all matches in the index's order, in messages of several entries. The last message has no entries and
   * tells whether the search was complete. Pages and orders do not apply.
   * @throws FileError, and the signal's reason
   */
  async *all(
    request: BuscarArchivosRequest,
    signal: AbortSignal,
  ): AsyncGenerator<TransmitirBusquedaResponse, void> {
    const { index, crawler, catchUpMs = 250 } = this.#options;
    const query = toSearchQuery({ ...request, limite: 0, cursor: undefined });
    const rootFailure = crawler.checkRoot();
    if (rootFailure !== undefined) throw rootFailure;
    using slices = this.#precedence.begin(signal, crawler.knowledge !== 'listo');
    const knowledge = this.#lookAtStart(query.parts, await crawler.caughtUp(catchUpMs));
    const known = crawler.unreadable.below(query.parts.join('/') as ByteString, query.hidden);
    for (let from = 0; from < known.length; from += partSize) {
      yield part({ errores: known.slice(from, from + partSize) });
    }
    const told = new Set(known.map(keyOf));
    const errors = new EntryErrors();
    let total = 0;
    let complete = knowledge === 'listo' && known.length === 0;
    slices.begin();
    if (hasBounds(query)) await this.#refresh(query, slices, errors, { elsewhere: false });
    for await (const hits of searchAll(index, query, slices, partSize)) {
      const archivos = await this.#lookAt(hits, query, errors, signal, { elsewhere: false });
      const errores = errors.take().filter((error) => !told.has(keyOf(error)));
      total += archivos.length;
      complete &&= errores.length === 0;
      if (archivos.length + errores.length > 0) yield part({ archivos, errores });
    }
    yield part({
      total,
      completo: complete && crawler.knowledge === 'listo',
      indice: this.#indice(crawler.knowledge === 'listo' ? knowledge : crawler.knowledge),
    });
  }

  #indice(knowledge: Knowledge): Indice {
    const { index, crawler } = this.#options;
    return { estado: estados[knowledge], version: index.changes, edadMs: Math.round(crawler.ageMs) };
  }

  /**
   * Checks the folder where the search starts.
   * @returns what is known about it: `verificando` if it exists and the index does not have it
   * @throws FileError if it cannot be read
   */
  #lookAtStart(parts: readonly ByteString[], knowledge: Knowledge): Knowledge {
    using start = this.#options.root.open(parts);
    try {
      opendirSync(toPath(start.addressOf(itself))).closeSync();
    } catch (error) {
      throw folderFailure(start.path, error);
    }
    const { index, crawler } = this.#options;
    if (knowledge !== 'listo' || index.folderAt(start.path) !== undefined) return knowledge;
    // A folder above may be closed to listing and open to passing; the index learns nothing below it.
    return crawler.unreadable.of(index.deepestFolder(start.path)) === undefined ? 'verificando' : knowledge;
  }

  /**
   * Reads the sizes and dates that decide what a search finds: a write through another hard link or through a memory
   * map raises no event. Reads all entries that match apart from sizes and dates or, if those are too many, the files
   * with another hard link among them.
   */
  async #refresh(
    query: SearchQuery,
    pace: Pace,
    errors: EntryErrors,
    dependencies: PageDependencies,
  ): Promise<void> {
    const { index, root } = this.#options;
    const all = { ...query, minBytes: undefined, maxBytes: undefined, since: undefined, until: undefined };
    const paths =
      (await matchingPaths(index, all, pace, maxRefreshed)) ??
      (await matchingPaths(index, { ...all, shared: true }, pace, maxRefreshed));
    using chain = new FolderChain(root);
    for (const group of groupByFolder((paths ?? []).map((path) => ({ path })))) {
      for (let from = 0; from < group.length; from += readAtOnce) {
        if (pace.over()) await pace.next();
        this.#readAll(group.slice(from, from + readAtOnce), chain, errors, dependencies);
      }
    }
  }

  /** Makes an lstat of entries of one folder, and tells the index. */
  #readAll(
    entries: readonly { readonly path: ByteString }[],
    chain: FolderChain,
    errors: EntryErrors,
    dependencies: PageDependencies,
  ): void {
    const { crawler } = this.#options;
    const path = folderOf(entries[0]?.path ?? ('' as ByteString));
    const folder = errors.attempt(path, () => chain.open(path));
    const all =
      folder &&
      lstatAll(
        folder,
        entries.map((entry) => lastPart(entry.path)),
      );
    for (const [at, entry] of entries.entries()) {
      const seen = all?.[at];
      if (seen instanceof Error) {
        errors.note(entry.path, seen);
        continue;
      }
      const stats = seen && statsOf(seen);
      // Without its folder an entry is looked at once it is shown.
      if (folder !== undefined) crawler.note(entry.path, stats);
      if (stats?.hardLinked) dependencies.elsewhere = true;
    }
  }

  /** Returns the entries that still exist and still match. */
  async #lookAt(
    hits: readonly Hit[],
    query: SearchQuery,
    errors: EntryErrors,
    signal: AbortSignal,
    dependencies: PageDependencies,
  ): Promise<Hallazgo[]> {
    const slices = new Slices(signal);
    using chain = new FolderChain(this.#options.root);
    const entries = new Map<Hit, Entry>();
    for (const hit of groupByFolder(hits).flat()) {
      if (slices.over()) await slices.next();
      const entry = errors.attempt(hit.path, () => this.#look(hit.path, query, chain, dependencies));
      if (entry !== undefined) entries.set(hit, entry);
    }
    return hits.flatMap((hit) => {
      const entrada = entries.get(hit);
      if (entrada === undefined) return [];
      const coincidencias = hit.coincidencias.map(([desde, hasta]) => ({ desde, hasta }));
      return [{ entrada, coincidencias, puntaje: hit.puntaje }];
    });
  }

  /** @throws the system's errors */
  #look(
    path: ByteString,
    query: SearchQuery,
    chain: FolderChain,
    dependencies: PageDependencies,
  ): Entry | undefined {
    const { folder, name, stats } = this.#read(path, chain, dependencies);
    if (stats.kind === Kind.LINK) dependencies.elsewhere = true;
    const entry = entryOf(folder, name, stats);
    return passes(query, entry) ? entry : undefined;
  }

  /** Makes an lstat, and tells the index. @throws the system's errors */
  #read(
    path: ByteString,
    chain: FolderChain,
    dependencies: PageDependencies,
  ): { readonly folder: Folder; readonly name: ByteString; readonly stats: Stats } {
    const name = lastPart(path);
    const { crawler } = this.#options;
    let folder: Folder;
    let stats: Stats;
    try {
      folder = chain.open(folderOf(path));
      stats = folder.lstat(name);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') crawler.note(path, undefined);
      throw error;
    }
    crawler.note(path, stats);
    if (stats.hardLinked) dependencies.elsewhere = true;
    return { folder, name, stats };
  }
}

function validityAt({ instance, number }: Clock): Vigencia {
  return { reloj: { instancia: instance, numero: number }, carpeta: wholeIndex };
}

function hasBounds({ minBytes, maxBytes, since, until }: SearchQuery): boolean {
  return [minBytes, maxBytes, since, until].some((bound) => bound !== undefined);
}

/** Returns whether sizes or dates decide what is found, or in which order. */
function isByStats(query: SearchQuery): boolean {
  return hasBounds(query) || query.order === 'bytes' || query.order === 'modificado';
}

/** Filters an entry as the index does, by its current data. */
function passes(query: SearchQuery, { tipo, bytes, modificado }: Entry): boolean {
  return query.kinds.has(tipo) && passesStats(query, bytes, modificado?.getTime());
}

function merge(...lists: readonly (readonly EntryError[])[]): EntryError[] {
  const byPath = new Map(lists.flat().map((error) => [keyOf(error), error]));
  const errors = [...byPath.values()].sort((a, b) => (a.ruta < b.ruta ? -1 : 1));
  return errors.slice(0, maxErrors);
}

function keyOf({ ruta, rutaBytes }: EntryError): string {
  return `${ruta}\0${rutaBytes?.toString('hex')}`;
}

function notReady(): FileError {
  return new FileError('UNAVAILABLE', 'indice-no-listo', 'The index does not know everything yet');
}
