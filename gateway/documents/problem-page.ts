import { sendAnswer } from '../answers/sender.ts';
import { accepted } from '../http/accepted.ts';
import { ProblemError } from '../http/problem.ts';
import { statusOf } from '../http/problem-types.ts';
import type { Context } from '../http/state.ts';
import { problemas, type Slug } from '../http/texts.ts';
import { document } from './document.ts';

const types = ['application/json', 'application/problem+json', 'text/html'];

/**
 * `GET /problemas/{slug}`: the meaning of a problem's `type` (RFC 9457, section 3.1.1), as a page or as JSON, in the client's
 * language. Values that each problem fills in are shown as `…`.
 * @throws ProblemError `ruta-no-encontrada` for an unknown type
 */
export function sendProblemType(ctx: Context, slug: string): void | Promise<void> {
  if (!Object.hasOwn(problemas, slug)) throw new ProblemError('ruta-no-encontrada');
  const { idioma } = ctx.state;
  const text = problemas[slug as Slug];
  const type = {
    type: `/problemas/${slug}`,
    title: text.title[idioma],
    status: statusOf[slug as Slug],
    detail: text.detail[idioma].replace(/\{\w+\}/g, '…'),
  };
  ctx.set('Content-Language', idioma);
  ctx.vary('Accept-Language');
  const asPage = accepted('accept', ctx.get('Accept') || '*/*').mediaType(types) === 'text/html';
  return sendAnswer(
    ctx,
    asPage
      ? document('text/html; charset=utf-8', page(type, idioma))
      : document('application/json; charset=utf-8', JSON.stringify(type)),
  );
}

/** The texts are ours and hold no markup except quotes. */
function page({ title, status, detail, type }: Readonly<Record<string, string | number>>, idioma: string) {
  return `<!doctype html>
<html lang="${idioma}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<h1>${title}</h1>
<p>${detail}</p>
<p>HTTP ${status} · <code>${type}</code></p>
</html>
`;
}
