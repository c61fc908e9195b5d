import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { listarJuegos } from '../../../examples/juegos/listar-juegos.ts';
import { createDocument, type OperationObject } from '../../../gateway/documents/openapi.ts';
import type { Operation } from '../../../gateway/operations/operation.ts';
import { services } from '../../../gateway/services.ts';

const { paths = {}, ...document } = createDocument({
  version: '0.0.0',
  operations: [...services.flatMap(({ operations }) => operations), listarJuegos as Operation],
  tokenNeeded: false,
  servedIdentityPaths: new Set(['/login', '/.well-known/jwks.json']),
  prefix: '',
});
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema({ $id: 'document', ...document, paths });

/** Returns the path template: `/solicitudes/019a…` → `/solicitudes/{id}`; undefined for an undocumented path. */
function documentedPath(path: string): string | undefined {
  const bare = path.replace(/^\/v1(?=\/|$)/, '') || '/';
  const names = Object.keys(paths);
  return names.find((name) => name === bare) ?? names.find((name) => patternOf(name).test(bare));
}

function patternOf(name: string): RegExp {
  return new RegExp(`^${name.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

const pointer = (...parts: readonly string[]): string =>
  parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

/** Returns the reference to an answer's schema; undefined when it has none. Throws for an undocumented answer. */
function schemaFor(method: string, path: string, status: number, type: string): string | undefined {
  const methods = paths[path] as Readonly<Record<string, OperationObject>> | undefined;
  const responses = methods?.[method.toLowerCase()]?.responses as
    | Readonly<Record<string, object>>
    | undefined;
  if (responses === undefined) throw new Error(`The document has no ${method} ${path}`);
  const key = String(status) in responses ? String(status) : 'default';
  let at = ['paths', path, method.toLowerCase(), 'responses', key];
  let response = responses[key] as { readonly $ref?: string; readonly content?: Record<string, object> };
  if (response.$ref !== undefined) {
    at = response.$ref.slice(2).split('/');
    const shared = document.components?.responses as Record<string, typeof response>;
    response = shared[at.at(-1) ?? ''] ?? {};
  }
  // The body is described elsewhere: the answer of another operation, or a file.
  if (response.content === undefined && key !== 'default') return undefined;
  if (response.content?.[type] === undefined)
    throw new Error(`The document has no ${type} for ${status} of ${method} ${path}`);
  return `document#/${pointer(...at, 'content', type, 'schema')}`;
}

/** Throws when the OpenAPI document does not allow an answer. Checks only JSON bodies of documented paths. */
export async function assertConforms(method: string, path: string, answer: Response): Promise<void> {
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';');
  const documented = documentedPath(path);
  if (documented === undefined || !/^application\/(?:problem\+)?json$/.test(type) || method === 'HEAD')
    return;
  // The document does not list the methods that a path refuses.
  if (answer.status === 405) return;
  const ref = schemaFor(method, documented, answer.status, type);
  if (ref === undefined) return;
  const text = await answer.clone().text();
  const validate = ajv.getSchema(ref) ?? ajv.compile({ $ref: ref });
  if (validate(JSON.parse(text))) return;
  throw new Error(
    `${method} ${path} (${answer.status}): ${ajv.errorsText(validate.errors)}\n${text.slice(0, 2000)}`,
  );
}

/** Throws when the document does not allow a line of an operation's stream. */
export function assertStreamLine(operation: string, line: unknown): void {
  const validate = ajv.compile({
    $ref: `document#/${pointer('components', 'schemas', `${operation}.linea`)}`,
  });
  if (!validate(line)) throw new Error(`${JSON.stringify(line)}: ${ajv.errorsText(validate.errors)}`);
}
