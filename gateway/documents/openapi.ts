import * as z from 'zod';
import {
  createDocument as render,
  type ZodOpenApiContentObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverrideContext,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { renderVerdict } from '../answers/renderer.ts';
import { renderProblem } from '../http/problem.ts';
import { statusOf } from '../http/problem-types.ts';
import { accessTo } from '../identity/access.ts';
import type { Operation, OperationDocument } from '../operations/operation.ts';
import { describeAccepted } from '../solicitudes/description.ts';
import { parameters } from './parameters.ts';
import { type Content, identityPaths, type PathDocument, paths } from './paths.ts';
import { type SchemaName, schemas } from './schemas.ts';

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

export type OpenApi = ReturnType<typeof createDocument>;
export type OperationObject = NonNullable<NonNullable<OpenApi['paths']>[string]['get']>;

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
const textOf = (status: number): string => statusTexts[status] ?? 'No está bien';

/** Builds the OpenAPI document of this gateway from the schemas that validate its requests. */
export function createDocument(options: DocumentOptions) {
  const { version, operations, tokenNeeded, servedIdentityPaths, prefix } = options;
  const documented: ZodOpenApiPathsObject = {};
  const add = (path: string, method: PathDocument['method'], operation: ZodOpenApiOperationObject) => {
    const scope = accessTo(path, new Set());
    const security = scope === 'open' ? [] : [...(tokenNeeded ? [] : [{}]), { portador: [scope] }];
    documented[path] = { ...documented[path], [method]: { ...operation, security } };
  };
  for (const operation of operations) add(`/${operation.name}`, 'get', operationObject(operation));
  const served = [...paths, ...identityPaths.filter(({ path }) => servedIdentityPaths.has(path))];
  for (const path of served) add(path.path, path.method, pathObject(path, operations));
  return render(
    {
      openapi: '3.1.1',
      info: { title: 'Archivero', version, description },
      servers: [{ url: prefix === '' ? '/' : prefix }],
      tags: ['Archivos', 'Solicitudes', 'Colas', 'Sistema'].map((name) => ({ name })),
      paths: documented,
      components: {
        schemas: { ...schemas, ...Object.assign({}, ...operations.map(operationSchemas)) },
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
    },
    { override: typeDefault },
  );
}

/** Query values are text, defaults included. The document gives the default of an integer as a number. */
function typeDefault({ jsonSchema }: ZodOpenApiOverrideContext): void {
  const { type, default: value } = jsonSchema;
  if (type === 'integer' && typeof value === 'string') jsonSchema.default = Number(value);
}

const json = (schema: z.ZodType, more: object = {}) => ({ 'application/json': { schema, ...more } });

/** The schemas of an operation by their names in the document. */
function operationSchemas({ name, document }: Operation): Record<string, z.ZodType> {
  if (document === undefined) return {};
  const { answer, line } = document;
  return { [`${name}.respuesta`]: answer, ...(line !== undefined && { [`${name}.linea`]: line }) };
}

function operationObject(operation: Operation): ZodOpenApiOperationObject {
  const { name, document } = operation;
  const headers = ['Prefer', 'Idempotency-Key', 'If-Match', 'If-None-Match'] as const;
  return {
    tags: ['Archivos'],
    operationId: name,
    summary: document?.summary ?? name,
    ...parameters('', document?.query, headers),
    responses: {
      200: {
        description: textOf(200),
        headers: answerHeaders,
        content: document === undefined ? { 'application/json': {} } : answerContent(operation, document),
      },
      202: accepted(operation),
      304: { description: textOf(304) },
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
function answerContent(
  operation: Operation,
  { answer, line, example }: OperationDocument,
): ZodOpenApiContentObject {
  const { name, formatos } = operation;
  const shown = (formato: 'json' | 'nombres') => {
    const view = { target: `/${name}`, idioma: 'es', formato } as const;
    const { body } = renderVerdict(operation, { ok: true, response: example }, view);
    return { value: JSON.parse(body.toString()) };
  };
  const named = formatos.includes('nombres');
  const examples = { json: shown('json'), ...(named && { nombres: shown('nombres') }) };
  return {
    ...json(z.union(named ? [answer, schemas.Nombres] : [answer]), { examples }),
    ...(line !== undefined && { 'application/x-ndjson': { schema: line } }),
  };
}

function accepted({ name }: Pick<Operation, 'name'>): ZodOpenApiResponseObject {
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
    description: textOf(202),
    headers: {
      Location: { description: 'La solicitud.', schema: { type: 'string' } },
      'Retry-After': { description: 'Segundos.', schema: { type: 'string' } },
    },
    content: json(schemas.Solicitud, { example: JSON.parse(JSON.stringify(example)) }),
  };
}

function pathObject(document: PathDocument, operations: readonly Operation[]): ZodOpenApiOperationObject {
  const { path, id, tag, summary, query, body, answers, problems: own, headers = [] } = document;
  const needsScope = accessTo(path, new Set()) !== 'open';
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...parameters(path, query, headers),
    ...(body !== undefined && {
      requestBody: { required: true, content: json(body, { example: exampleOf(body) }) },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, contents]) => [
          status,
          {
            description: textOf(Number(status)),
            ...(contents !== null && { content: contentOf(contents, operations) }),
          },
        ]),
      ),
      ...problems([...own, ...(needsScope ? [401, 403, 429] : [])]),
    },
  };
}

function contentOf(
  contents: Content | readonly Content[],
  operations: readonly Operation[],
): ZodOpenApiContentObject {
  const each = [contents].flat().map((content): ZodOpenApiContentObject => {
    if (content === 'respuesta') return json(anyAnswer(operations));
    if (content.startsWith('text/')) return { [content]: { schema: { type: 'string' } } };
    if (content.includes('/')) return { [content]: { schema: { type: 'object' } } };
    return json(schemas[content as SchemaName]);
  });
  return Object.assign({}, ...each);
}

/** The stored answer of a solicitud: that of any operation, in any of its formats. Some may be undocumented. */
function anyAnswer(operations: readonly Operation[]): z.ZodType {
  const answers = operations.map(({ document }) => document?.answer ?? z.unknown());
  return answers.some((answer) => answer instanceof z.ZodUnknown)
    ? z.unknown()
    : z.union([...answers, schemas.Nombres]);
}

const problemName = (status: number): string => `Problema${status}`;

function problems(statuses: readonly number[]): ZodOpenApiResponsesObject {
  const unique = [...new Set(statuses)].sort((a, b) => a - b);
  return {
    ...Object.fromEntries(
      unique.map((status) => [status, { $ref: `#/components/responses/${problemName(status)}` }]),
    ),
    default: { $ref: '#/components/responses/Problema' },
  };
}

/** Returns one response per status, with every problem type of that status as an example. */
function problemResponses(): Record<string, ZodOpenApiResponseObject> {
  const slugs = Object.entries(statusOf) as [keyof typeof statusOf, number][];
  const of = (status: number) =>
    slugs
      .filter(([, each]) => each === status)
      .map(([slug]) => {
        const { body } = renderProblem({ slug, status }, { idioma: 'es', instance: undefined });
        return [slug, { value: JSON.parse(body.toString()) }];
      });
  const response = (text: string, examples: Record<string, object>) => ({
    description: text,
    content: { 'application/problem+json': { schema: schemas.Problema, examples } },
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
