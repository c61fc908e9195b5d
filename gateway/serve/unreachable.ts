import type { Unreachable } from '../calls/service-client.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';

/** Sets `Proxy-Status` (RFC 9209): the unreachable address and the error. */
export function setProxyStatus(ctx: Context, { address, proxyError }: Unreachable): void {
  ctx.set('Proxy-Status', `archivero; error=${proxyError}; next-hop=${JSON.stringify(address)}`);
}

/** Answers 503: the service is unreachable, and this request cannot be queued. */
export function refuseUnreachable(ctx: Context, because: Unreachable): never {
  setProxyStatus(ctx, because);
  throw new ProblemError('servicio-no-disponible', { headers: { 'Retry-After': '1' } });
}
