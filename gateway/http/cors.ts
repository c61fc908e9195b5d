import cors from '@koa/cors';
import type { Context, Middleware } from './state.ts';

const exposed = [
  ...[
    'Age',
    'Content-Location',
    'ETag',
    'Link',
    'Location',
    'Preference-Applied',
    'Proxy-Status',
    'RateLimit',
  ],
  ...[
    'RateLimit-Policy',
    'Retry-After',
    'Servido-Por',
    'Archivero-Indice',
    'WWW-Authenticate',
    'X-Request-Id',
  ],
];
const allowed = [
  ...[
    'Accept',
    'Accept-Language',
    'Authorization',
    'Cache-Control',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
  ],
  ...['Last-Event-ID', 'Prefer', 'traceparent', 'tracestate', 'X-Request-Id'],
];

/** Allows pages of these origins to use the API (https://fetch.spec.whatwg.org/#http-cors-protocol), without cookies. */
export function crossOrigin(origins: readonly string[]): Middleware {
  const handle = cors({
    origin: (ctx) => (origins.includes(ctx.get('origin')) ? ctx.get('origin') : ''),
    allowMethods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowHeaders: allowed,
    exposeHeaders: exposed,
    maxAge: 600,
  });
  return async (ctx: Context, next) => {
    await handle(ctx as Parameters<typeof handle>[0], next);
  };
}
