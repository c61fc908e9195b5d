import { setCommonHeader } from './response.ts';
import type { Step } from './steps.ts';

/**
 * Security headers of every answer, after helmet's (https://helmetjs.github.io). File names are untrusted, so answers must
 * not be sniffed as HTML, framed or embedded into other sites. Pages set a `Content-Security-Policy` of their own.
 */
const headers = Object.entries({
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
});
const secureOnly = 'max-age=31536000';

export function securityHeaders(): Step {
  return (ctx) => {
    for (const [name, value] of headers) setCommonHeader(ctx.res, name, value);
    if (ctx.state.secure) setCommonHeader(ctx.res, 'Strict-Transport-Security', secureOnly);
  };
}
