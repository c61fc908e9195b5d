import { hash } from 'node:crypto';
import { parseStatusMessage } from '../../runtime/errors.ts';
import type { Verdict } from '../calls/verdict.ts';
import { type Problem, renderProblem } from '../http/problem.ts';
import { isServiceReason, serviceReasons, slugOfStatus } from '../http/problem-types.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import { queryOf, withCursor } from '../http/target.ts';
import type { Operation, View } from '../operations/operation.ts';
import { Forms } from './representations.ts';
import { httpStatusOf } from './status-table.ts';

/**
 * What a service said, as the HTTP answer that it is. The one renderer, for answers that come directly and for those
 * that come by the queue: the same verdict and view make the same bytes.
 */
export function renderVerdict(operation: Operation, verdict: Verdict, view: View): RenderedAnswer {
  const answer = verdict.ok
    ? renderResponse(operation, verdict.response, view)
    : renderProblem(problemOf(verdict, view), { idioma: view.idioma, instance: view.target });
  return { ...answer, headers: { ...answer.headers, etag: etagOf(answer.body) } };
}

/** Verdicts that several callers share. */
const rendered = new WeakMap<Verdict, Map<string, Forms>>();

/** The same in all its content codings, and made once for all who got the same verdict and want to see it in the same way. */
export function renderForms(operation: Operation, verdict: Verdict, view: View): Forms {
  const key = `${view.formato} ${view.idioma} ${view.target}`;
  const known = rendered.get(verdict)?.get(key);
  if (known !== undefined) return known;
  const forms = new Forms(renderVerdict(operation, verdict, view));
  const all = rendered.get(verdict) ?? new Map<string, Forms>();
  rendered.set(verdict, all.set(key, forms));
  return forms;
}

function renderResponse(operation: Operation, response: unknown, view: View): RenderedAnswer {
  const { body, siguiente, headers } = operation.present(response, view.formato);
  return {
    status: 200,
    headers: {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      ...(siguiente === undefined ? {} : { link: `<${withCursor(view.target, siguiente)}>; rel="next"` }),
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}

/**
 * A known reason has texts of ours. With any other the type is that of the status, and of a 4xx the service's own English
 * detail is shown, which is meant for the caller; what a 5xx says is not.
 */
function problemOf(verdict: Verdict & { ok: false }, view: View): Problem {
  const status = httpStatusOf[verdict.code];
  const { reason, detail } = parseStatusMessage(verdict.message);
  if (!isServiceReason(reason)) {
    const shown = status < 500 && detail !== '' ? detail : undefined;
    return { slug: slugOfStatus[verdict.code], status, detail: shown };
  }
  const query = new URLSearchParams(queryOf(view.target));
  const parametro = serviceReasons[reason].find((name) => query.has(name));
  return {
    slug: reason,
    status,
    errores: parametro === undefined ? undefined : [{ parametro, motivo: reason }],
  };
}

/** Strong: it changes with every byte of the body. 162 bits of SHA-256. */
function etagOf(body: Buffer): string {
  return `"${hash('sha256', body, 'base64url').slice(0, 27)}"`;
}
