import { type BlockList, isIP } from 'node:net';
import type { Context, Middleware } from './state.ts';

/**
 * Finds out where a request comes from. What `X-Forwarded-For`, `-Proto` and `-Host` say counts when, and as far as, it was
 * written by proxies that are trusted; anybody can write the rest.
 */
export function clientAddress(trusted: BlockList | undefined): Middleware {
  return (ctx, next) => {
    const peer = plainAddress(ctx.req.socket.remoteAddress ?? '');
    ctx.state.address = peer;
    ctx.state.secure = 'encrypted' in ctx.req.socket;
    ctx.state.forwardedHost = undefined;
    if (trusted !== undefined && isIn(trusted, peer)) believe(ctx, trusted);
    return next();
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

/** Without brackets and port, which some proxies write, and IPv4 as itself. */
function plainAddress(text: string): string {
  const bare = /^\[([^\]]*)\]/.exec(text)?.[1] ?? text.replace(/^([\d.]+):\d+$/, '$1');
  return bare.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
