import type { Middleware } from './state.ts';

/**
 * What every answer says to browsers, after what helmet sets (https://helmetjs.github.io). File names come from others, so
 * nothing is to be sniffed as HTML, framed, or taken into pages of other sites. A page sets a `Content-Security-Policy` of
 * its own.
 */
const headers = Object.entries({
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
});
const secureOnly = 'max-age=31536000';

export function securityHeaders(): Middleware {
  return (ctx, next) => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value);
    if (ctx.state.secure) ctx.res.setHeader('Strict-Transport-Security', secureOnly);
    return next();
  };
}
