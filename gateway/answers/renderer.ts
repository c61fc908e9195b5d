import { hash } from 'node:crypto';
import { parseStatusMessage } from '../../runtime/errors.ts';
import type { Verdict } from '../calls/verdict.ts';
import { type Problem, renderProblem } from '../http/problem.ts';
import { isServiceReason, serviceReasons, slugOfStatus } from '../http/problem-types.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import { queryOf, withCursor } from '../http/target.ts';
import type { Operation, View } from '../operations/operation.ts';
import { Representations } from './representations.ts';
import { httpStatusOf } from './status-table.ts';

/**
 * Renders a verdict as an HTTP answer. Direct and queued answers share this renderer, so one verdict and view always give
 * the same bytes.
 */
export function renderVerdict(operation: Operation, verdict: Verdict, view: View): RenderedAnswer {
  const answer = verdict.ok
    ? renderResponse(operation, verdict.response, view)
    : renderProblem(problemOf(verdict, view), { idioma: view.idioma, instance: view.target });
  return { ...answer, headers: { ...answer.headers, etag: etagOf(answer.body) } };
}

/** Renderings by verdict, because coalesced requests share verdicts. */
const rendered = new WeakMap<Verdict, Map<string, Representations>>();

/** Renders a verdict in all content codings, once per view for all requests that share the verdict. */
export function renderRepresentations(operation: Operation, verdict: Verdict, view: View): Representations {
  const key = `${view.formato} ${view.idioma} ${view.target}`;
  const known = rendered.get(verdict)?.get(key);
  if (known !== undefined) return known;
  const representations = new Representations(renderVerdict(operation, verdict, view));
  const all = rendered.get(verdict) ?? new Map<string, Representations>();
  rendered.set(verdict, all.set(key, representations));
  return representations;
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
 * Maps an error verdict to a problem. A known reason has texts in both languages. Otherwise the status gives the type. The
 * service's English detail is shown for a 4xx, where it is meant for the client, but not for a 5xx.
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

/** Returns a strong ETag: 162 bits of the body's SHA-256. */
export function etagOf(body: Buffer): string {
  return `"${hash('sha256', body, 'base64url').slice(0, 27)}"`;
}
