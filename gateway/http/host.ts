import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import type { Step } from './steps.ts';

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses what was meant for another host. A page on the web can make its own name resolve to this machine (DNS
 * rebinding) and would then be of our origin for the browser; the name it has to send gives it away.
 *
 * Allowed are loopback, the address that the connection came in by, and `allowed`: names or addresses, at any port or,
 * written `name:port`, at one; `*` allows all. HTTP/1.0 without `Host` is allowed: no browser speaks that.
 */
export function hostGuard({ allowed }: { readonly allowed: readonly string[] }): Step {
  const names = new Set([...loopback, ...allowed.map((name) => name.toLowerCase())]);
  const any = names.has('*');
  return (ctx) => {
    if (any) return;
    const { authority, forwardedHost } = ctx.state;
    // Both: a proxy may hand on what a page wrote into X-Forwarded-Host.
    for (const each of [authority ?? ctx.req.headers.host, forwardedHost]) {
      const host = each?.toLowerCase();
      if (host !== undefined && !isOurs(host, names, ctx)) {
        throw new ProblemError('host-no-permitido', { values: { host: host.slice(0, 100) } });
      }
    }
  };
}

function isOurs(host: string, names: ReadonlySet<string>, ctx: Context): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^\s:/@[\]]+)(?::\d*)?$/.exec(host)?.[1];
  return name !== undefined && (names.has(name) || names.has(host) || name === localHost(ctx));
}

/** The address that the client connected to, as it is written in `Host`. */
function localHost(ctx: Context): string {
  const address = (ctx.req.socket.localAddress ?? '').toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return address.includes(':') ? `[${address}]` : address;
}
