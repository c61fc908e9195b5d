import { FileError } from '../filesystem/file-error.ts';
import { parsePath } from '../filesystem/path-parts.ts';
import { kindFilter, pageSize } from '../filesystem/query.ts';
import type { Root } from '../filesystem/root.ts';
import {
  type ListadoServiceDefinition,
  type ListarArchivosRequest,
  OrdenListado,
  type RecorrerArchivosRequest,
} from '../proto/gen/archivos/v1/listado.ts';
import { StatusError } from '../runtime/errors.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import { Status } from '../runtime/status.ts';
import type { ChangeWatcher } from './change-watcher.ts';
import { type ListingScope, listFolder, type Sorting } from './listing.ts';
import { walkFolder } from './walking.ts';

const defaultLimit = 1000;

/**
 * Returns the handlers of mserv1, for gRPC and the queue alike. With a change watcher, an answer carries its
 * validity: the gateway may cache it until the feed reports a change.
 */
export function createHandlers(root: Root, watcher?: ChangeWatcher): HandlersOf<ListadoServiceDefinition> {
  return {
    async listarArchivos(request, { signal, queued }) {
      try {
        const { limite, cursor } = request;
        const limit = pageSize(limite, defaultLimit);
        const sorting = sortingOf(request) ?? { order: 'nombre', descending: request.descendente };
        const scope = scopeOf(request);
        // No validity for trees, because not every folder of one can be watched, nor for queued requests, because
        // their answers are not cached.
        const watch = queued || scope.depth > 1 ? undefined : watcher?.begin(scope.parts);
        const page = await listFolder(root, { ...scope, ...sorting, limit, cursor }, signal);
        const { archivos, siguiente, completo, errores } = page;
        return {
          archivos,
          siguiente,
          completo,
          errores,
          vigencia: watch && watcher?.validityOf(watch, page),
        };
      } catch (error) {
        throw statusOf(error);
      }
    },

    async *recorrerArchivos(request, { signal }) {
      try {
        yield* walkFolder(root, { ...scopeOf(request), sorting: sortingOf(request) }, signal);
      } catch (error) {
        throw statusOf(error);
      }
    },

    ...(watcher && {
      vigilarCambios: (_request, { signal, stopping }) => watcher.listen([signal, stopping]),
    }),
  };
}

function statusOf(thrown: unknown): unknown {
  if (!(thrown instanceof FileError)) return thrown;
  return new StatusError(Status[thrown.code], thrown.reason, thrown.message, { cause: thrown });
}

type ScopeRequest = Pick<
  ListarArchivosRequest & RecorrerArchivosRequest,
  'ruta' | 'rutaBytes' | 'tipos' | 'ocultos' | 'recursivo' | 'profundidad'
>;

function scopeOf(request: ScopeRequest): ListingScope {
  const unbounded = request.recursivo ? Number.POSITIVE_INFINITY : 1;
  return {
    parts: parsePath(request.ruta, request.rutaBytes),
    kinds: kindFilter(request.tipos),
    hidden: request.ocultos,
    depth: request.profundidad === 0 ? unbounded : request.profundidad,
  };
}

function sortingOf({
  orden,
  descendente: descending,
}: Pick<ListarArchivosRequest, 'orden' | 'descendente'>): Sorting | undefined {
  if (orden === OrdenListado.ORDEN_LISTADO_UNSPECIFIED) return undefined;
  const order = ordersByNumber[orden];
  if (order === undefined) throw new FileError('INVALID_ARGUMENT', 'orden-no-valido', 'Unknown order');
  return { order, descending };
}

const ordersByNumber: Readonly<Partial<Record<OrdenListado, Sorting['order']>>> = {
  [OrdenListado.ORDEN_LISTADO_NOMBRE]: 'nombre',
  [OrdenListado.ORDEN_LISTADO_NATURAL]: 'natural',
  [OrdenListado.ORDEN_LISTADO_BYTES]: 'bytes',
  [OrdenListado.ORDEN_LISTADO_MODIFICADO]: 'modificado',
  [OrdenListado.ORDEN_LISTADO_TIPO]: 'tipo',
  [OrdenListado.ORDEN_LISTADO_CARPETAS]: 'carpetas',
};
