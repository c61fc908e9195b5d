import { FileError } from '../../../filesystem/file-error.ts';
import { type Jail, nativeJail } from '../../../filesystem/jail.ts';
import { IndexSearcher } from '../../../mserv2/search/index-searcher.ts';
import type { SearchOptions, SearchService } from '../../../mserv2/search/search-service.ts';
import type {
  BuscarArchivosRequest,
  BuscarArchivosResponse,
  TransmitirBusquedaResponse,
} from '../../../proto/gen/archivos/v1/busqueda.ts';
import { StatusError } from '../../../runtime/errors.ts';
import { Status } from '../../../runtime/status.ts';
import { CrawledIndex } from './crawled.ts';

/** Searches a folder as mserv2 does, but in this thread. The first search waits until the index is complete. */
export class SearchedFolder implements SearchService, AsyncDisposable {
  readonly crawled: CrawledIndex;
  readonly #searcher: IndexSearcher;
  #settled: Promise<void> | undefined;

  constructor(root: string, jail: Jail = nativeJail, catchUpMs = 1000) {
    this.crawled = new CrawledIndex(root, { here: { jail }, scanners: 1 });
    this.#searcher = new IndexSearcher({ ...this.crawled, catchUpMs });
  }

  readonly search = async (
    request: BuscarArchivosRequest,
    options: SearchOptions,
  ): Promise<BuscarArchivosResponse> => {
    try {
      await this.#whenSettled();
      return await this.#searcher.page(request, options);
    } catch (error) {
      throw statusOf(error);
    }
  };

  readonly searchAll = async function* (
    this: SearchedFolder,
    request: BuscarArchivosRequest,
    signal: AbortSignal,
  ): AsyncGenerator<TransmitirBusquedaResponse, void> {
    try {
      await this.#whenSettled();
      yield* this.#searcher.all(request, signal);
    } catch (error) {
      throw statusOf(error);
    }
  }.bind(this);

  async #whenSettled(): Promise<void> {
    if (this.crawled.crawler.checkRoot() !== undefined) return;
    this.#settled ??= this.crawled.settled();
    await this.#settled;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.crawled[Symbol.asyncDispose]();
  }
}

function statusOf(error: unknown): unknown {
  if (!(error instanceof FileError)) return error;
  return new StatusError(Status[error.code], error.reason, error.message, { cause: error });
}
