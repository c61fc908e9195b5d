import * as z from 'zod';
import { renderVerdict } from '../answers/renderer.ts';
import { renderProblem } from '../http/problem.ts';
import { statusOf } from '../http/problem-types.ts';
import { accessTo } from '../identity/access.ts';
import type { Operation } from '../operations/operation.ts';
import { describeAccepted } from '../solicitudes/description.ts';
import { jsonSchema, pathParameters, queryParameters } from './parameters.ts';
import { type Content, identityPaths, type PathDocument, paths } from './paths.ts';
import { schemas } from './schemas.ts';

export interface DocumentOptions {
  readonly version: string;
  readonly operations: readonly Operation[];
  /** Whether the API requires a token. Otherwise a token is optional. */
  readonly tokenNeeded: boolean;
  /** The identity paths that this gateway serves. */
  readonly servedIdentityPaths: ReadonlySet<string>;
  /** The prefix of every path: `/v1` or empty. */
  readonly prefix: string;
}

export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: Readonly<Record<string, object>>;
}

export interface OperationObject {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, object>>;
}

const description = `Lista y busca archivos que están detrás de otros procesos y máquinas. Una petición cuyo servicio no responde no
se pierde: se acepta (202) y su respuesta espera en una dirección. Los errores son application/problem+json (RFC 9457), en español
o, con «Accept-Language: en», en inglés.`;

const statusTexts: Readonly<Record<number, string>> = {
  200: 'La respuesta',
  201: 'Creado',
  202: 'Aceptada: su respuesta estará en «enlaces.respuesta»',
  204: 'Nada nuevo que contar',
  304: 'No ha cambiado desde la respuesta con ese ETag',
};

const requestHeaders = {
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description: 'RFC 7240: «respond-async» toma siempre la cola; «wait=N» espera hasta N segundos (50).',
    schema: { type: 'string' },
    example: 'wait=10',
  },
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'Una petición que se repite con la misma clave es la misma solicitud.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  'Last-Event-ID': {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'El último evento que se recibió.',
    schema: { type: 'string' },
  },
  'If-Match': {
    name: 'If-Match',
    in: 'header',
    description: 'El ETag que la respuesta debe tener; si no, 412.',
    schema: { type: 'string' },
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description: 'El ETag de la respuesta que ya se tiene.',
    schema: { type: 'string' },
  },
} as const;

/** Builds the OpenAPI document of this gateway from the schemas that validate its requests. */
export function createDocument(options: DocumentOptions): OpenApi {
  const { version, operations, tokenNeeded, servedIdentityPaths, prefix } = options;
  const documented: Record<string, Record<string, OperationObject>> = {};
  const add = (
    path: string,
    method: string,
    operation: Omit<OperationObject, 'responses'> & OperationObject,
  ) => {
    const scope = accessTo(path, new Set());
    const security = scope === 'open' ? [] : [...(tokenNeeded ? [] : [{}]), { portador: [scope] }];
    documented[path] = { ...documented[path], [method]: { ...operation, security } as OperationObject };
  };
  for (const operation of operations) add(`/${operation.name}`, 'get', operationObject(operation));
  const served = [...paths, ...identityPaths.filter(({ path }) => servedIdentityPaths.has(path))];
  for (const path of served) add(path.path, path.method, pathObject(path, operations));
  return {
    openapi: '3.1.1',
    info: { title: 'Archivero', version, description },
    servers: [{ url: prefix === '' ? '/' : prefix }],
    tags: ['Archivos', 'Solicitudes', 'Colas', 'Sistema'].map((name) => ({ name })),
    paths: documented,
    components: {
      schemas: {
        ...Object.fromEntries(
          Object.entries(schemas).map(([name, schema]) => [name, jsonSchema(schema, 'output')]),
        ),
        ...Object.fromEntries(operations.flatMap(operationSchemas)),
      },
      responses: problemResponses(),
      securitySchemes: {
        portador: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Con AUTH=none no hace falta.',
        },
      },
    },
  };
}

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string, example?: unknown) => ({
  'application/json': { schema: ref(name), ...(example === undefined ? {} : { example }) },
});

function operationSchemas({ name, document }: Operation): [string, object][] {
  if (document === undefined) return [];
  const { answer, line } = document;
  return [
    [`${name}.respuesta`, jsonSchema(answer, 'output')],
    ...(line === undefined ? [] : ([[`${name}.linea`, jsonSchema(line, 'output')]] as [string, object][])),
  ];
}

function operationObject(operation: Operation): OperationObject {
  const { name, document } = operation;
  const headers = ['Prefer', 'Idempotency-Key', 'If-Match', 'If-None-Match'] as const;
  const parameters = [
    ...(document === undefined ? [] : queryParameters(document.query)),
    ...headers.map((header) => requestHeaders[header]),
  ];
  return {
    tags: ['Archivos'],
    operationId: name,
    summary: document?.summary ?? name,
    parameters,
    responses: {
      200: {
        description: statusTexts[200],
        headers: answerHeaders,
        content: document === undefined ? { 'application/json': {} } : answerContent(operation),
      },
      202: accepted(operation),
      304: { description: statusTexts[304] },
      ...problems([400, 401, 403, 404, 406, 412, 422, 429, 500, 503, 504]),
    },
  };
}

const answerHeaders = {
  'Servido-Por': { description: 'Cómo se hizo.', schema: { enum: ['grpc', 'cola', 'cache'] } },
  ETag: { description: 'De estos bytes.', schema: { type: 'string' } },
  Link: { description: 'La página siguiente, si la hay.', schema: { type: 'string' } },
};

/** The examples come from the renderer of real answers, so they cannot drift from them. */
function answerContent(operation: Operation): object {
  const { name, document, formatos } = operation;
  const response = document?.example;
  const shown = (formato: 'json' | 'nombres'): unknown =>
    JSON.parse(
      renderVerdict(
        operation,
        { ok: true, response },
        { target: `/${name}`, idioma: 'es', formato },
      ).body.toString(),
    );
  const examples: Record<string, unknown> = { json: { value: shown('json') } };
  const anyOf: object[] = [ref(`${name}.respuesta`)];
  if (formatos.includes('nombres')) {
    anyOf.push(ref('Nombres'));
    examples['nombres'] = { value: shown('nombres') };
  }
  return {
    'application/json': { schema: { anyOf }, examples },
    ...(document?.line === undefined ? {} : { 'application/x-ndjson': { schema: ref(`${name}.linea`) } }),
  };
}

function accepted({ name }: Pick<Operation, 'name'>): object {
  const acceptedAt = Date.UTC(2026, 10, 20, 10);
  const example = describeAccepted(
    {
      id: '019aa1b2-7c00-7000-8000-000000000000',
      service: '',
      operation: name,
      request: '{}',
      view: { target: `/${name}`, formato: 'json', idioma: 'es' },
      caller: '',
      requestId: '',
      traceparent: '',
      replyToken: '',
      acceptedAt,
      expiresAt: acceptedAt + 24 * 60 * 60 * 1000,
      key: undefined,
      retryOf: undefined,
    },
    '',
  );
  return {
    description: statusTexts[202],
    headers: {
      Location: { description: 'La solicitud.', schema: { type: 'string' } },
      'Retry-After': { description: 'Segundos.', schema: { type: 'string' } },
    },
    content: json('Solicitud', JSON.parse(JSON.stringify(example))),
  };
}

function pathObject(document: PathDocument, operations: readonly Operation[]): OperationObject {
  const { path, id, tag, summary, query, body, answers, problems: own, headers } = document;
  const parameters = [
    ...pathParameters(path),
    ...(query === undefined ? [] : queryParameters(query)),
    ...(headers ?? []).map((header) => requestHeaders[header]),
  ];
  const needsScope = accessTo(path, new Set()) !== 'open';
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: jsonSchema(body, 'input'), example: exampleOf(body) },
            },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, content]) => [
          status,
          { description: statusTexts[Number(status)] ?? 'No está bien', ...contentOf(content, operations) },
        ]),
      ),
      ...problems([...own, ...(needsScope ? [401, 403, 429] : [])]),
    },
  };
}

function contentOf(
  contents: Content | readonly Content[] | null,
  operations: readonly Operation[],
): { readonly content?: object } {
  if (contents === null) return {};
  const each = [contents].flat().map((content) => {
    if (content === 'respuesta') return { 'application/json': { schema: anyAnswer(operations) } };
    if (content.startsWith('text/')) return { [content]: { schema: { type: 'string' } } };
    return content.includes('/') ? { [content]: { schema: { type: 'object' } } } : json(content);
  });
  return { content: Object.assign({}, ...each) };
}

/** The stored answer of a solicitud: that of any operation, in any of its formats. Some may be undocumented. */
function anyAnswer(operations: readonly Operation[]): object {
  if (operations.some(({ document }) => document === undefined)) return {};
  return { anyOf: [...operations.map(({ name }) => ref(`${name}.respuesta`)), ref('Nombres')] };
}

const problemName = (status: number): string => `Problema${status}`;

function problems(statuses: readonly number[]): Record<string, object> {
  const unique = [...new Set(statuses)].sort((a, b) => a - b);
  return {
    ...Object.fromEntries(
      unique.map((status) => [status, { $ref: `#/components/responses/${problemName(status)}` }]),
    ),
    default: { $ref: '#/components/responses/Problema' },
  };
}

/** Returns one response per status, with every problem type of that status as an example. */
function problemResponses(): Record<string, object> {
  const slugs = Object.entries(statusOf) as [keyof typeof statusOf, number][];
  const of = (status: number) =>
    slugs
      .filter(([, each]) => each === status)
      .map(([slug]) => {
        const { body } = renderProblem({ slug, status }, { idioma: 'es', instance: undefined });
        return [slug, { value: JSON.parse(body.toString()) }];
      });
  const response = (text: string, examples: object) => ({
    description: text,
    content: { 'application/problem+json': { schema: ref('Problema'), examples } },
  });
  return {
    Problema: response('Cualquier otro problema', {}),
    ...Object.fromEntries(
      [...new Set(slugs.map(([, status]) => status))].map((status) => [
        problemName(status),
        response(`Problema ${status}`, Object.fromEntries(of(status))),
      ]),
    ),
  };
}

/** Returns an example body with a placeholder text for each member. */
function exampleOf(body: z.ZodType): object {
  const members = body instanceof z.ZodObject ? Object.keys(body.shape) : [];
  return Object.fromEntries(members.map((name) => [name, 'texto']));
}
