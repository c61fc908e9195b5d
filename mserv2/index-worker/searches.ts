import { FileError } from '../../filesystem/file-error.ts';
import { BuscarArchivosResponse, TransmitirBusquedaResponse } from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Crawler } from '../crawl/crawler.ts';
import { IndexSearcher, type IndexSearcherOptions } from '../search/index-searcher.ts';
import type { Ask, Reply } from './messages.ts';

interface Running {
  readonly abort: AbortController;
  /** Of a stream. */
  readonly parts?: AsyncGenerator<TransmitirBusquedaResponse, void>;
}

/** A beat of the feed does not wait longer for what is still being looked into. */
const settleMs = 400;

/** What the index's thread was asked and has not answered yet. */
export class Answers {
  readonly #searcher: IndexSearcher;
  readonly #crawler: Crawler;
  readonly #reply: (message: Reply) => void;
  readonly #running = new Map<number, Running>();

  constructor(options: IndexSearcherOptions, reply: (message: Reply) => void) {
    this.#searcher = new IndexSearcher(options);
    this.#crawler = options.crawler;
    this.#reply = reply;
  }

  receive(ask: Exclude<Ask, { kind: 'begin' | 'stop' }>): void {
    switch (ask.kind) {
      case 'search':
        void this.#search(ask);
        break;
      case 'stream':
        this.#stream(ask);
        break;
      case 'more': {
        const parts = this.#running.get(ask.id)?.parts;
        if (parts !== undefined) void this.#more(ask.id, parts);
        break;
      }
      case 'settle':
        void this.#settle(ask.id, () => this.#tellAll());
        break;
      case 'abort':
        this.#end(ask.id);
    }
  }

  endAll(): void {
    for (const id of this.#running.keys()) this.#end(id);
  }

  async #search({ id, request, whenReady, clock }: Ask & { kind: 'search' }): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, { abort });
    await this.#settle(id, async () => {
      const page = await this.#searcher.page(request, { signal: abort.signal, whenReady, clock });
      return BuscarArchivosResponse.encode(page).finish();
    });
    this.#running.delete(id);
  }

  #stream({ id, request }: Ask & { kind: 'stream' }): void {
    const abort = new AbortController();
    const parts = this.#searcher.all(request, abort.signal);
    this.#running.set(id, { abort, parts });
    void this.#more(id, parts);
  }

  async #more(id: number, parts: AsyncGenerator<TransmitirBusquedaResponse, void>): Promise<void> {
    await this.#settle(id, async () => {
      const { value, done } = await parts.next();
      return done === true ? undefined : TransmitirBusquedaResponse.encode(value).finish();
    });
  }

  /** Of the root, and of what has happened. What is not looked into in time may be anything. */
  async #tellAll(): Promise<undefined> {
    this.#crawler.checkRoot();
    const knowledge = await this.#crawler.caughtUp(settleMs);
    if (knowledge !== this.#crawler.knowledge) this.#reply({ kind: 'news', todo: true });
  }

  async #settle(id: number, make: () => Promise<Uint8Array | undefined>): Promise<void> {
    try {
      const bytes = await make();
      this.#reply({ kind: 'answer', id, bytes: bytes && new Uint8Array(bytes) });
    } catch (error) {
      if (error instanceof FileError) {
        const { code, reason, message } = error;
        this.#reply({ kind: 'refused', id, refusal: { code, reason, message } });
      } else this.#reply({ kind: 'failed', id, error });
    }
  }

  /** A stream holds a view of the index, even while nobody asks for more of it. */
  #end(id: number): void {
    const it = this.#running.get(id);
    it?.abort.abort();
    this.#running.delete(id);
    it?.parts?.return().catch(() => undefined);
  }
}
