import type { Logger } from 'pino';
import { problemOfThrown } from './error-mapping.ts';
import { ProblemError, renderProblem } from './problem.ts';
import { withoutSecrets } from './redaction.ts';
import type { Context, Middleware } from './state.ts';
import { answerUnanswered } from './unanswered.ts';
import { assertWellFormed } from './well-formed.ts';

/** Undefined for what is not its own. */
export type ErrorMapping = (thrown: unknown) => ProblemError | undefined;

/**
 * The one place where errors become answers. What was thrown on purpose says what it means; anything else is a bug: it
 * is logged with its stack, and the client learns the request's id and nothing more. Headers that a route had set before
 * it threw are kept: `Proxy-Status` belongs to the problem. Comes after request-id, language and version-prefix, and
 * before everything that may throw.
 *
 * @param alsoMapped maps the errors of the layers above to problems
 */
export function problems(log: Logger, alsoMapped: ErrorMapping = () => undefined): Middleware {
  return async (ctx, next) => {
    try {
      assertWellFormed(ctx);
      await next();
      if (ctx.respond !== false && ctx.status === 404 && ctx.body === undefined) answerUnanswered(ctx);
    } catch (thrown) {
      const problem = problemOfThrown(thrown) ?? alsoMapped(thrown) ?? unexpected(thrown, ctx, log);
      if (problem.cause !== undefined)
        log.warn({ err: problem.cause, requestId: ctx.state.requestId }, problem.slug);
      if (ctx.headerSent) {
        // A part of another answer is out already: only a cut connection can tell that it is not whole.
        ctx.res.destroy();
        return;
      }
      sendProblem(ctx, problem);
    }
  };
}

function unexpected(thrown: unknown, ctx: Context, log: Logger): ProblemError {
  const { requestId } = ctx.state;
  log.error({ err: thrown, requestId, target: withoutSecrets(ctx.state.target) }, 'unexpected error');
  return new ProblemError('error-interno', { members: { peticion: requestId } });
}

function sendProblem(ctx: Context, problem: ProblemError): void {
  const { idioma, target } = ctx.state;
  const answer = renderProblem(problem, { idioma, instance: target });
  ctx.status = answer.status;
  ctx.set({ ...answer.headers, 'cache-control': 'no-store' });
  ctx.vary('Accept-Language');
  ctx.body = answer.body;
}
