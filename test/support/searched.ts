import { FileError } from '../../filesystem/file-error.ts';
import { type Jail, nativeJail } from '../../filesystem/jail.ts';
import { Answering } from '../../mserv2/answering.ts';
import type { SearchOptions } from '../../mserv2/searching.ts';
import type { BuscarArchivosRequest, BuscarArchivosResponse } from '../../proto/gen/archivos/v1/busqueda.ts';
import { StatusError } from '../../runtime/errors.ts';
import { Status } from '../../runtime/status.ts';
import { Crawled } from './crawled.ts';

/** Searches a folder as mserv2 does, but in this thread: the first search waits until everything is known. */
export class Searched implements AsyncDisposable {
  readonly crawled: Crawled;
  readonly #answering: Answering;
  #settled: Promise<void> | undefined;

  constructor(root: string, jail: Jail = nativeJail, catchUpMs = 1000) {
    this.crawled = new Crawled(root, { here: { jail }, surveyors: 1 });
    this.#answering = new Answering({ ...this.crawled, catchUpMs });
  }

  /** A `Search`, for `createHandlers`. */
  readonly search = async (
    request: BuscarArchivosRequest,
    options: SearchOptions,
  ): Promise<BuscarArchivosResponse> => {
    try {
      if (this.crawled.crawler.checkRoot() === undefined) {
        this.#settled ??= this.crawled.settled();
        await this.#settled;
      }
      return await this.#answering.page(request, options);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new StatusError(Status[error.code], error.reason, error.message, { cause: error });
    }
  };

  [Symbol.asyncDispose](): Promise<void> {
    return this.crawled[Symbol.asyncDispose]();
  }
}
