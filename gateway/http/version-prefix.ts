import { setCommonHeader } from './response.ts';
import type { Step } from './steps.ts';
import { pathOf, readTarget } from './target.ts';

const prefix = '/v1';

/** The retirement dates of `/v1`. */
export interface Retirement {
  /** When it is deprecated (RFC 9745). */
  readonly deprecation: Date | undefined;
  /** When it may disappear (RFC 8594). */
  readonly sunset: Date | undefined;
}

/**
 * Serves every path bare and under `/v1`: later middlewares see bare paths only. The client's target stays in
 * `ctx.state.target`, and its prefix in `ctx.state.prefix`, so that links keep it. Never throws.
 */
export function versionPrefix(retirement?: Retirement): Step {
  const headers = retirementHeaders(retirement);
  return (ctx) => {
    const { target, authority } = readTarget(ctx.req.url ?? '/');
    const path = pathOf(target);
    const prefixed = path === prefix || path.startsWith(`${prefix}/`);
    const bare = prefixed ? target.slice(prefix.length) : target;
    ctx.state.target = target;
    ctx.state.authority = authority;
    ctx.state.prefix = prefixed ? prefix : '';
    if (prefixed) for (const [name, value] of headers) setCommonHeader(ctx.res, name, value);
    ctx.url = bare.startsWith('/') || bare === '*' ? bare : `/${bare}`;
  };
}

function retirementHeaders({ deprecation, sunset }: Partial<Retirement> = {}): readonly [string, string][] {
  return [
    ...(deprecation === undefined
      ? []
      : ([['Deprecation', `@${Math.floor(deprecation.getTime() / 1000)}`]] as [string, string][])),
    ...(sunset === undefined ? [] : ([['Sunset', sunset.toUTCString()]] as [string, string][])),
  ];
}
