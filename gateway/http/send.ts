import type { StoredAnswer } from '../solicitudes/ledger.ts';
import { codingFor } from './content-coding.ts';
import { Forms } from './forms.ts';
import type { Context, ServidoPor } from './state.ts';

/**
 * Sends the answer of an operation in the content coding that the client likes best, with how it was made. A client that
 * has the same bytes already gets a 304 (RFC 9110, section 13.1.2), whatever `Cache-Control` its request has. It may keep
 * the answer, but must ask again before each use.
 */
export function sendAnswer(
  ctx: Context,
  answer: StoredAnswer | Forms,
  servidoPor: ServidoPor,
): void | Promise<void> {
  const forms = answer instanceof Forms ? answer : new Forms(answer);
  const { 'if-none-match': ifNoneMatch, 'accept-encoding': acceptEncoding } = ctx.req.headers;
  if (forms.status === 200 && ifNoneMatch !== undefined) {
    const etag = forms.known(ifNoneMatch);
    if (etag !== undefined) return write(ctx, 304, { ...forms.identity.headers, etag }, servidoPor);
  }
  const form = forms.in(codingFor(acceptEncoding));
  if (!(form instanceof Promise)) return write(ctx, forms.status, form.headers, servidoPor, form.body);
  return form.then(({ headers, body }) => write(ctx, forms.status, headers, servidoPor, body));
}

function write(
  ctx: Context,
  status: number,
  headers: Readonly<Record<string, string>>,
  servidoPor: ServidoPor,
  body?: Buffer,
): void {
  ctx.state.servidoPor = servidoPor;
  ctx.status = status;
  ctx.set({ 'cache-control': 'no-cache', ...headers, 'servido-por': servidoPor });
  ctx.vary(status < 400 ? ['Accept', 'Accept-Encoding'] : ['Accept', 'Accept-Encoding', 'Accept-Language']);
  if (body !== undefined) ctx.body = body;
}
