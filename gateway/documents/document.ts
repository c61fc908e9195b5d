import { LRUCache } from 'lru-cache';
import { etagOf } from '../answers/renderer.ts';
import { Representations } from '../answers/representations.ts';
import { sendAnswer } from '../answers/sender.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { Context } from '../http/state.ts';

/** Returns a document as an answer with a validator, so that a client that has it gets a 304. */
export function document(contentType: string, text: string | Buffer): RenderedAnswer {
  const body = Buffer.from(text as string);
  return { status: 200, headers: { 'content-type': contentType, etag: etagOf(body) }, body };
}

/** Makes a document at its first request. */
type Make = () => Promise<RenderedAnswer>;

/**
 * Documents that were requested, with their compressed forms: making and compressing them takes longer than everything else. A
 * document that could not be made is made again at the next request.
 */
export class KeptDocuments {
  readonly #kept: LRUCache<string, Representations, Make>;

  /** @param max limit of documents; the least recently requested one makes room */
  constructor(max: number) {
    this.#kept = new LRUCache({
      max,
      fetchMethod: async (_name: string, _stale: unknown, { context: make }: { context: Make }) =>
        new Representations(await make()),
    });
  }

  /** Sends the document of this name, which `make` makes if it is not kept. */
  async send(ctx: Context, name: string, make: Make): Promise<void> {
    await sendAnswer(ctx, await this.#kept.forceFetch(name, { context: make }));
  }
}
