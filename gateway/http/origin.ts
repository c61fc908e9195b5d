import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import type { Step } from './steps.ts';

/**
 * Refuses what a page of another site sends. Browsers let any page send requests here, only not read all of the answers,
 * and say where they are from; what says nothing is no browser. Ours are the host that was asked for, under whatever
 * scheme, and the origins of `allowed`. Following a link to us is no harm.
 */
export function originGuard(allowed: readonly string[]): Step {
  return (ctx) => {
    const { origin, 'sec-fetch-site': site } = ctx.req.headers;
    if (origin !== undefined) {
      if (!allowed.includes(origin) && !isOf(origin, hostOf(ctx))) throw foreign(origin);
    } else if ((site === 'cross-site' || site === 'same-site') && !isNavigation(ctx)) {
      throw foreign(site);
    }
  };
}

/** https://www.w3.org/TR/fetch-metadata/ */
function isNavigation({ method, req: { headers } }: Context): boolean {
  const reads = method === 'GET' || method === 'HEAD';
  return reads && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function foreign(origin: string): ProblemError {
  return new ProblemError('origen-no-permitido', { values: { origen: origin.slice(0, 100) } });
}

function hostOf(ctx: Context): string {
  return ctx.state.forwardedHost ?? ctx.state.authority ?? ctx.req.headers.host ?? '';
}

function isOf(origin: string, host: string): boolean {
  const from = URL.parse(origin);
  if (from === null || !/^https?:$/.test(from.protocol)) return false;
  return from.host === URL.parse(`${from.protocol}//${host}`)?.host;
}
