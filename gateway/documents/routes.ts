import Router from '@koa/router';
import { sendAnswer } from '../answers/sender.ts';
import type { Context, State } from '../http/state.ts';
import type { Operation } from '../operations/operation.ts';
import { document } from './document.ts';
import type { DocumentOptions } from './openapi.ts';
import { sendProblemType } from './problem-page.ts';

export interface DocumentsDeps {
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly tokenNeeded: boolean;
  readonly servedIdentityPaths: ReadonlySet<string>;
}

/**
 * Routes `/openapi.json`, `/postman.json`, `/docs` and `/problemas`. Their modules are loaded at the first request, and each document is
 * built anew: these pages are requested seldom, so neither start-up time nor memory is spent on them.
 */
export function documentsRoutes(deps: DocumentsDeps): Router<State> {
  const router = new Router<State>();

  async function documentFor(prefix: DocumentOptions['prefix']) {
    const { createDocument } = await import('./openapi.ts');
    return createDocument({ ...deps, prefix });
  }

  router.get('/openapi.json', async (ctx) => {
    await sendJson(ctx, await documentFor(ctx.state.prefix));
  });
  router.get('/postman.json', async (ctx) => {
    const { createCollection } = await import('./postman.ts');
    const { prefix, secure, forwardedHost = ctx.host } = ctx.state;
    const base = `${secure ? 'https' : 'http'}://${forwardedHost}${prefix}`;
    await sendJson(ctx, createCollection(await documentFor(prefix), base));
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

function sendJson(ctx: Context, body: object): void | Promise<void> {
  return sendAnswer(ctx, document('application/json; charset=utf-8', JSON.stringify(body)));
}
