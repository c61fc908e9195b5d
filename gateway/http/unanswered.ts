import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Answers requests that no route answered: 404, 405 and `OPTIONS` with `Allow`, 501 for an unknown method. It reads
 * `ctx.matched`, which holds every route of the path, so @koa/router's `allowedMethods()` is not needed.
 * @throws ProblemError except for `OPTIONS`
 */
export function answerUnanswered(ctx: Context): void {
  const routes: readonly { methods: readonly string[] }[] = ctx.matched ?? [];
  const served = new Set(ctx.path === '*' ? methods : routes.flatMap((route) => route.methods));
  if (!methods.includes(ctx.method))
    throw new ProblemError('metodo-desconocido', { values: { metodo: ctx.method } });
  if (served.size === 0 || (served.has(ctx.method) && ctx.method !== 'OPTIONS'))
    throw new ProblemError('ruta-no-encontrada');

  served.add('OPTIONS');
  const allow = methods.filter((method) => served.has(method)).join(', ');
  if (ctx.method !== 'OPTIONS') {
    throw new ProblemError('metodo-no-permitido', {
      values: { metodo: ctx.method, permitidos: allow },
      headers: { allow },
    });
  }
  ctx.set('Allow', allow);
  ctx.status = 204;
}
