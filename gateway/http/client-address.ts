import { type BlockList, isIP } from 'node:net';
import type { Context } from './state.ts';
import type { Step } from './steps.ts';

/**
 * Finds out where a request comes from. What `X-Forwarded-For`, `-Proto` and `-Host` say counts when, and as far as, it was
 * written by proxies that are trusted; anybody can write the rest.
 */
export function clientAddress(trusted: BlockList | undefined): Step {
  return (ctx) => {
    const peer = peerAddress(ctx.req.socket.remoteAddress ?? '');
    ctx.state.address = peer;
    ctx.state.secure = 'encrypted' in ctx.req.socket;
    ctx.state.forwardedHost = undefined;
    if (trusted !== undefined && isIn(trusted, peer)) believe(ctx, trusted);
  };
}

function believe(ctx: Context, trusted: BlockList): void {
  const hops = ctx
    .get('x-forwarded-for')
    .split(',')
    .map((hop) => plainAddress(hop.trim()));
  // From our end: each trusted one tells who came to it. What is no address ends what can be believed.
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

/** An address in a proxy's header, without the brackets and the port that some proxies write. */
function plainAddress(text: string): string {
  return peerAddress(/^\[([^\]]*)\]/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1'));
}

/** An address without its zone, and IPv4 in its own notation. */
function peerAddress(text: string): string {
  // Only IPv6 has either.
  if (!text.includes(':')) return text;
  return text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
