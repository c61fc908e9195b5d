import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';

/**
 * Refuses a page of another site. Browsers let any page open a WebSocket, and say where it is from; what says nothing is
 * no browser. Ours are the host that was asked for, under whatever scheme, and the origins of `allowed`.
 * @throws ProblemError `origen-no-permitido`
 */
export function refuseForeignOrigin(ctx: Context, allowed: readonly string[]): void {
  const { origin } = ctx.req.headers;
  if (origin === undefined || allowed.includes(origin)) return;
  const host = ctx.state.authority ?? ctx.req.headers.host ?? '';
  if (isOf(origin, host)) return;
  throw new ProblemError('origen-no-permitido', { values: { origen: origin.slice(0, 100) } });
}

function isOf(origin: string, host: string): boolean {
  const from = URL.parse(origin);
  if (from === null || !/^https?:$/.test(from.protocol)) return false;
  return from.host === URL.parse(`${from.protocol}//${host}`)?.host;
}
