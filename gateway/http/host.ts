import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';
import type { Step } from './steps.ts';

const loopback = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Refuses requests meant for another host. A page on the web can make its own name resolve to this machine (DNS rebinding)
 * and would then share this origin in the browser, but its requests still carry that name.
 *
 * Allowed are loopback, the connection's local address, and `allowed`: names or addresses at any port, or at one as
 * `name:port`; `*` allows every host. HTTP/1.0 without `Host` is allowed, because no browser sends it.
 */
export function hostGuard({ allowed }: { readonly allowed: readonly string[] }): Step {
  const names = new Set([...loopback, ...allowed.map((name) => name.toLowerCase())]);
  const any = names.has('*');
  return (ctx) => {
    if (any) return;
    const { authority, forwardedHost } = ctx.state;
    // Both, because a proxy may forward the X-Forwarded-Host that a page has set.
    for (const each of [authority ?? ctx.req.headers.host, forwardedHost]) {
      const host = each?.toLowerCase();
      if (host !== undefined && !isAllowed(host, names, ctx)) {
        throw new ProblemError('host-no-permitido', { values: { host: host.slice(0, 100) } });
      }
    }
  };
}

function isAllowed(host: string, names: ReadonlySet<string>, ctx: Context): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^\s:/@[\]]+)(?::\d*)?$/.exec(host)?.[1];
  return name !== undefined && (names.has(name) || names.has(host) || name === localHost(ctx));
}

/** Returns the connection's local address in the spelling of `Host`. */
function localHost(ctx: Context): string {
  const address = (ctx.req.socket.localAddress ?? '').toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return address.includes(':') ? `[${address}]` : address;
}
