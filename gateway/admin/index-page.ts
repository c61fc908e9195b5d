import type { RouteHandler } from '../http/state.ts';
import type { Operation } from '../operations/operation.ts';

/** `GET /`: the name and version of the gateway, with links to its resources. */
export function createIndex({
  version,
  operations,
}: {
  readonly version: string;
  readonly operations: readonly Pick<Operation, 'name'>[];
}): RouteHandler {
  const paths = {
    ...Object.fromEntries(operations.map(({ name }) => [name, `/${name}`])),
    solicitudes: '/solicitudes',
    solicitud: '/solicitudes/{id}',
    cuarentena: '/cuarentena',
    salud: '/salud',
    colas: '/colas',
    documentos: '/docs',
    openapi: '/openapi.json',
    postman: '/postman.json',
  };
  return (ctx) => {
    const { prefix } = ctx.state;
    const enlaces = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, prefix + path]));
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = { nombre: 'archivero', version, enlaces };
  };
}
