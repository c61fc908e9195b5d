import { setCommonHeader } from './response.ts';
import type { Step } from './steps.ts';

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

export function securityHeaders(): Step {
  return (ctx) => {
    for (const [name, value] of headers) setCommonHeader(ctx.res, name, value);
    if (ctx.state.secure) setCommonHeader(ctx.res, 'Strict-Transport-Security', secureOnly);
  };
}
