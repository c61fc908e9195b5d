import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sendAnswer } from '../answers/sender.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import { document, KeptDocuments } from './document.ts';

/** The files of swagger-ui-dist that are served. The package's other files are not meant for browsers. */
const contentTypes: Readonly<Record<string, string>> = {
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
 * Allows scripts only from this origin. Swagger UI needs inline styles, `data:` images and requests to this server.
 * Framing is forbidden: clickjacking this page could push messages into a queue.
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

const page = (prefix: string): string => `<!doctype html>
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

/** `GET /docs`: Swagger UI over the gateway's OpenAPI document, served without a CDN. */
export function sendDocs(ctx: Context): void | Promise<void> {
  ctx.set('content-security-policy', contentSecurityPolicy);
  return sendAnswer(ctx, document('text/html; charset=utf-8', page(ctx.state.prefix)));
}

/** They take about 2.5 MB of memory, from the first request on. */
const files = new KeptDocuments(Object.keys(contentTypes).length);

/** `GET /docs/{file}` */
export async function sendDocsFile(ctx: Context, name: string): Promise<void> {
  if (name === 'inicio.js') {
    await sendAnswer(ctx, document('text/javascript; charset=utf-8', initializer));
    return;
  }
  const type = Object.hasOwn(contentTypes, name) ? contentTypes[name] : undefined;
  if (type === undefined) throw new ProblemError('ruta-no-encontrada');
  await files.send(ctx, name, async () =>
    document(type, await readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)))),
  );
}
