import { type BlockList, isIP } from 'node:net';
import type { Context } from './state.ts';
import type { Step } from './steps.ts';

/**
 * Determines the client's address, scheme and host. `X-Forwarded-For`, `-Proto` and `-Host` count only as far as trusted
 * proxies wrote them, because any client can send them.
 */
export function clientAddress(trusted: BlockList | undefined): Step {
  return (ctx) => {
    const peer = peerAddress(ctx.req.socket.remoteAddress ?? '');
    ctx.state.address = peer;
    ctx.state.secure = 'encrypted' in ctx.req.socket;
    ctx.state.forwardedHost = undefined;
    if (trusted !== undefined && isIn(trusted, peer)) applyForwarded(ctx, trusted);
  };
}

function applyForwarded(ctx: Context, trusted: BlockList): void {
  const hops = ctx
    .get('x-forwarded-for')
    .split(',')
    .map((hop) => plainAddress(hop.trim()));
  // Right to left: each trusted proxy names its peer. An entry that is not an address ends the trusted part.
  for (const hop of hops.reverse()) {
    if (isIP(hop) === 0) break;
    ctx.state.address = hop;
    if (!isIn(trusted, hop)) break;
  }
  const proto = lastOf(ctx.get('x-forwarded-proto'));
  if (proto !== '') ctx.state.secure = proto === 'https';
  const host = lastOf(ctx.get('x-forwarded-host'));
  if (host !== '') ctx.state.forwardedHost = host;
}

function lastOf(list: string): string {
  return list
    .slice(list.lastIndexOf(',') + 1)
    .trim()
    .toLowerCase();
}

export function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Normalises an address from a proxy's header: removes the brackets and port that some proxies write. */
function plainAddress(text: string): string {
  return peerAddress(/^\[([^\]]*)\]/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1'));
}

/** Removes an IPv6 zone and unmaps IPv4-mapped addresses. */
function peerAddress(text: string): string {
  // Neither occurs in an IPv4 address.
  if (!text.includes(':')) return text;
  return text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
