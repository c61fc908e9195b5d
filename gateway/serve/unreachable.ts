import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import type { Unreachable } from './fallback.ts';

/** RFC 9209: who could not be reached, and how. */
export function tellNextHop(ctx: Context, { address, proxyError }: Unreachable): void {
  ctx.set('Proxy-Status', `archivero; error=${proxyError}; next-hop=${JSON.stringify(address)}`);
}

/** The service is away, and this request cannot wait for it. */
export function refuseUnreachable(ctx: Context, because: Unreachable): never {
  tellNextHop(ctx, because);
  throw new ProblemError('servicio-no-disponible', { headers: { 'Retry-After': '1' } });
}
