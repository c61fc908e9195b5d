import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import type { Step } from './steps.ts';

/**
 * Refuses requests from pages of other sites. Browsers let any page send requests, only not read every answer, and they
 * state the page's origin. A request that states none does not come from a browser. Accepted are the requested host,
 * under any scheme, and the origins of `allowed`. Following a link is accepted as well.
 */
export function originGuard(allowed: readonly string[]): Step {
  return (ctx) => {
    const { origin, 'sec-fetch-site': site } = ctx.req.headers;
    if (origin !== undefined) {
      if (!allowed.includes(origin) && !isOriginOf(origin, hostOf(ctx))) throw foreignOrigin(origin);
    } else if ((site === 'cross-site' || site === 'same-site') && !isNavigation(ctx)) {
      throw foreignOrigin(site);
    }
  };
}

/** Returns whether the request is a navigation (https://www.w3.org/TR/fetch-metadata/). */
function isNavigation({ method, req: { headers } }: Context): boolean {
  const reads = method === 'GET' || method === 'HEAD';
  return reads && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function foreignOrigin(origin: string): ProblemError {
  return new ProblemError('origen-no-permitido', { values: { origen: origin.slice(0, 100) } });
}

function hostOf(ctx: Context): string {
  return ctx.state.forwardedHost ?? ctx.state.authority ?? ctx.req.headers.host ?? '';
}

function isOriginOf(origin: string, host: string): boolean {
  const from = URL.parse(origin);
  if (from === null || !/^https?:$/.test(from.protocol)) return false;
  return from.host === URL.parse(`${from.protocol}//${host}`)?.host;
}
