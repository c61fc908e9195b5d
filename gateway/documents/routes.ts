import Router from '@koa/router';
import type { State } from '../http/state.ts';
import type { Operation } from '../operations/operation.ts';
import { document, KeptDocuments } from './document.ts';
import { sendProblemType } from './problem-page.ts';

export interface DocumentsDeps {
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly tokenNeeded: boolean;
  readonly servedIdentityPaths: ReadonlySet<string>;
}

/** Limit of kept documents. OpenAPI has one per prefix; a Postman collection names the host of the request. */
const maxKept = 8;

/**
 * Routes `/openapi.json`, `/postman.json`, `/docs` and `/problemas`. Their modules are loaded at the first request, which is rare, so
 * they cost no time at the start. OpenAPI and Postman are rendered and compressed once.
 */
export function documentsRoutes(deps: DocumentsDeps): Router<State> {
  const router = new Router<State>();
  const kept = new KeptDocuments(maxKept);

  const openApi = async (prefix: string) => {
    const { createDocument } = await import('./openapi.ts');
    return createDocument({ ...deps, prefix });
  };

  router.get('/openapi.json', (ctx) => {
    const { prefix } = ctx.state;
    return kept.send(ctx, `openapi ${prefix}`, async () => json(await openApi(prefix)));
  });
  router.get('/postman.json', (ctx) => {
    const { prefix, secure, forwardedHost = ctx.host } = ctx.state;
    const base = `${secure ? 'https' : 'http'}://${forwardedHost}${prefix}`;
    return kept.send(ctx, `postman ${base}`, async () => {
      const { createCollection } = await import('./postman.ts');
      return json(createCollection(await openApi(prefix), base));
    });
  });
  router.get('/docs', async (ctx) => {
    const { sendDocs } = await import('./pages.ts');
    await sendDocs(ctx);
  });
  router.get('/docs/:file', async (ctx) => {
    const { sendDocsFile } = await import('./pages.ts');
    await sendDocsFile(ctx, ctx.params['file'] ?? '');
  });
  router.get('/problemas/:slug', (ctx) => sendProblemType(ctx, ctx.params['slug'] ?? ''));
  return router;
}

const json = (body: object) => document('application/json; charset=utf-8', JSON.stringify(body));
