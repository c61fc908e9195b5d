import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';

/** Of swagger-ui-dist; what else is there is not for the web. */
const served: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

const initializer = `SwaggerUIBundle({
  url: location.pathname.replace(/\\/docs\\/?$/, '/openapi.json'),
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
});
`;

/**
 * Scripts and styles are ours only. Swagger UI sets styles on elements, and shows images as `data:`; what it asks for is this
 * server. Nobody may frame it: a click in it may push into a queue.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const inFolder = (prefix: string): string => `<!doctype html>
<html lang="es">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Archivero: la API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${prefix}/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="${prefix}/docs/swagger-ui-bundle.js"></script>
<script src="${prefix}/docs/inicio.js"></script>
</html>
`;

/** `GET /docs`: Swagger UI over our document, from files of ours. */
export function sendDocs(ctx: Context): void {
  ctx.set({ 'content-security-policy': contentSecurityPolicy, 'cache-control': 'no-cache' });
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = inFolder(ctx.state.prefix);
}

/** `GET /docs/{file}` */
export async function sendDocsFile(ctx: Context, name: string): Promise<void> {
  ctx.set('cache-control', 'no-cache');
  if (name === 'inicio.js') {
    ctx.type = 'text/javascript; charset=utf-8';
    ctx.body = initializer;
    return;
  }
  const type = Object.hasOwn(served, name) ? served[name] : undefined;
  if (type === undefined) throw new ProblemError('ruta-no-encontrada');
  ctx.type = type;
  // Read when it is asked for, which is seldom: a megabyte and more that nobody needs in memory.
  ctx.body = await readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)));
}
