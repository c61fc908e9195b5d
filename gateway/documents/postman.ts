import type { OpenApi, OperationObject } from './openapi.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly description?: string;
  readonly example?: string;
}

/**
 * Converts the document to a Postman collection (https://schema.postman.com/collection/json/v2.1.0): one folder per tag,
 * one request per operation. Optional parameters are disabled. The collection's variables are `base_url` and `token`.
 */
export function createCollection({ info, paths = {}, tags = [] }: OpenApi, baseUrl: string): object {
  const requests = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, OperationObject>).map(([method, operation]) => ({
      tag: operation.tags?.[0],
      item: { name: operation.summary, request: requestOf(path, method, operation) },
    })),
  );
  return {
    info: {
      name: info.title,
      description: info.description,
      version: info.version,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{token}}', type: 'string' }] },
    variable: [
      { key: 'base_url', value: baseUrl, type: 'string' },
      { key: 'token', value: '', type: 'string' },
    ],
    item: tags.map((tag) => {
      const { name } = tag as { readonly name: string };
      return { name, item: requests.filter((request) => request.tag === name).map(({ item }) => item) };
    }),
  };
}

function requestOf(path: string, method: string, { parameters = [], requestBody }: OperationObject): object {
  const named = (place: Parameter['in']) => (parameters as Parameter[]).filter((each) => each.in === place);
  const optional = ({ name, description, example }: Parameter) => ({
    key: name,
    value: example ?? '',
    ...(description && { description }),
    disabled: true,
  });
  const segments = path.slice(1).replaceAll(/\{(\w+)\}/g, ':$1');
  const query = named('query').map(optional);
  const variable = named('path').map(({ name, description }) => ({ key: name, value: '', description }));
  return {
    method: method.toUpperCase(),
    url: {
      raw: `{{base_url}}/${segments}`,
      host: ['{{base_url}}'],
      path: segments.split('/'),
      ...(query.length > 0 && { query }),
      ...(variable.length > 0 && { variable }),
    },
    header: named('header').map(optional),
    ...(requestBody !== undefined && {
      body: {
        mode: 'raw',
        raw: JSON.stringify(exampleOf(requestBody), null, 2),
        options: { raw: { language: 'json' } },
      },
    }),
  };
}

function exampleOf(requestBody: object): unknown {
  const { content } = requestBody as {
    readonly content: { readonly [type: string]: { readonly example: unknown } };
  };
  return Object.values(content)[0]?.example;
}
