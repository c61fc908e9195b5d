import Router from '@koa/router';
import type { State } from '../http/state.ts';
import type { Operation } from '../operations/operation.ts';
import type { DocumentOptions } from './openapi.ts';

export interface DocumentsDeps {
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly tokenNeeded: boolean;
  readonly servedIdentityPaths: ReadonlySet<string>;
}

/**
 * Routes `/openapi.json`, `/postman.json` and `/docs`. Their modules are loaded at the first request, and each document is
 * built anew: these pages are requested seldom, so neither start-up time nor memory is spent on them.
 */
export function documentsRoutes(deps: DocumentsDeps): Router<State> {
  const router = new Router<State>();

  async function documentFor(prefix: DocumentOptions['prefix']) {
    const { createDocument } = await import('./openapi.ts');
    return createDocument({ ...deps, prefix });
  }

  router.get('/openapi.json', async (ctx) => {
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = await documentFor(ctx.state.prefix);
  });
  router.get('/postman.json', async (ctx) => {
    const { createCollection } = await import('./postman.ts');
    ctx.set('Cache-Control', 'no-cache');
    const { prefix, secure, forwardedHost = ctx.host } = ctx.state;
    const base = `${secure ? 'https' : 'http'}://${forwardedHost}${prefix}`;
    ctx.body = createCollection(await documentFor(prefix), base);
  });
  router.get('/docs', async (ctx) => {
    const { sendDocs } = await import('./pages.ts');
    sendDocs(ctx);
  });
  router.get('/docs/:file', async (ctx) => {
    const { sendDocsFile } = await import('./pages.ts');
    await sendDocsFile(ctx, ctx.params['file'] ?? '');
  });
  return router;
}
