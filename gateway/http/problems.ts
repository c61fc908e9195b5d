import type { Logger } from 'pino';
import { problemOfThrown } from './error-mapping.ts';
import { ProblemError, renderProblem } from './problem.ts';
import { withoutSecrets } from './redaction.ts';
import type { Context, Middleware } from './state.ts';
import { answerUnanswered } from './unanswered.ts';
import { assertWellFormed } from './well-formed.ts';

/** Maps an error to a problem; undefined when the error belongs to another layer. */
export type ErrorMapping = (thrown: unknown) => ProblemError | undefined;

/**
 * Turns errors into answers; no other code does. An unknown error is a bug: it is logged with its stack, and the client
 * gets the request's id only. Headers that a route set before it threw stay, such as `Proxy-Status`. Must follow
 * request-id, language and version-prefix, and precede everything that may throw.
 *
 * @param alsoMapped maps the errors of higher layers
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
        // A part of another answer has been sent: only a cut connection shows that it is incomplete.
        ctx.res.destroy();
        return;
      }
      sendProblem(ctx, problem);
    }
  };
}

function unexpected(thrown: unknown, ctx: Context, log: Logger): ProblemError {
  const { requestId } = ctx.state;
  log.error(
    { err: thrown, requestId, target: withoutSecrets(ctx.state.target) },
    'unexpected error; answering 500',
  );
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
