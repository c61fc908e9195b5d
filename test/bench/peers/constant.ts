/**
 * Serves constant bytes by bare `node:http` or bare Koa, the fastest that Node can be: `node constant.ts http|koa PORT
 * FOLDER`. `/20` is answered with the file `20` of the folder, or with 304 when the request has its ETag.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Koa from 'koa';

const [kind, port, folder = '.'] = process.argv.slice(2);
const bodies = new Map(readdirSync(folder).map((name) => [`/${name}`, readFileSync(join(folder, name))]));
const etag = '"constant"';
const type = 'application/json; charset=utf-8';

function bareHttp() {
  return createServer((req, res) => {
    const body = bodies.get(req.url ?? '');
    if (body === undefined) res.writeHead(404).end();
    else if (req.headers['if-none-match'] === etag) res.writeHead(304, { etag }).end();
    else res.writeHead(200, { 'content-type': type, 'content-length': body.length, etag }).end(body);
  });
}

function bareKoa() {
  const app = new Koa();
  app.use((ctx) => {
    const body = bodies.get(ctx.url);
    if (body === undefined) return;
    ctx.set('etag', etag);
    if (ctx.get('if-none-match') === etag) {
      ctx.status = 304;
      return;
    }
    ctx.type = type;
    ctx.body = body;
  });
  return createServer(app.callback());
}

(kind === 'koa' ? bareKoa() : bareHttp()).listen(Number(port), '127.0.0.1');
