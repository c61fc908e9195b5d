import { etagOf } from '../answers/renderer.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';

/** Returns a document as an answer with a validator, so that a client that has it gets a 304. */
export function document(contentType: string, text: string | Buffer): RenderedAnswer {
  const body = Buffer.from(text as string);
  return { status: 200, headers: { 'content-type': contentType, etag: etagOf(body) }, body };
}
