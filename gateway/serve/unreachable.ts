import { reasonOf, type Unreachable } from '../calls/service-client.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';

/** Sets `Proxy-Status` (RFC 9209): the unreachable address, the error, and the reason that the service itself gives. */
export function setProxyStatus(ctx: Context, { address, proxyError, failure }: Unreachable): void {
  const reason = reasonOf(failure);
  const details = reason === undefined ? '' : `; details=${JSON.stringify(reason)}`;
  ctx.set('Proxy-Status', `archivero; error=${proxyError}; next-hop=${JSON.stringify(address)}${details}`);
}

/** Answers 503: the service is unreachable, and this request cannot be queued. */
export function refuseUnreachable(ctx: Context, because: Unreachable): never {
  setProxyStatus(ctx, because);
  const members = { motivo: reasonOf(because.failure) };
  throw new ProblemError('servicio-no-disponible', { headers: { 'Retry-After': '1' }, members });
}
