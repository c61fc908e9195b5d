import { openRoot } from '../../../filesystem/root.ts';
import { createHandlers } from '../../../mserv1/handlers.ts';
import type { Entrada } from '../../../proto/gen/archivos/v1/entrada.ts';
import {
  ListarArchivosRequest,
  type ListarArchivosResponse,
} from '../../../proto/gen/archivos/v1/listado.ts';
import { type PlannedEntry, plantedBytes } from '../files/hostile-tree.ts';
import { callContext } from './call-context.ts';

export type Query = Partial<ListarArchivosRequest>;

/** Asks mserv1's handler for one page of a root. */
export function list(root: string, query: Query = {}, signal?: AbortSignal): Promise<ListarArchivosResponse> {
  const request = { ...ListarArchivosRequest.create(), ...query };
  return createHandlers(openRoot(root)).listarArchivos(request, callContext(signal));
}

/** Reads all pages. `between` runs between two pages. */
export async function listAll(
  root: string,
  query: Query,
  between: () => void = () => {},
): Promise<Entrada[]> {
  const all: Entrada[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(root, { ...query, cursor });
    all.push(...page.archivos);
    cursor = page.siguiente;
    if (cursor !== undefined) between();
  } while (cursor !== undefined);
  return all;
}

const typeOf = (entry: PlannedEntry): number => (entry.kind === 2 ? 0 : entry.kind);

/** Compares planted entries by each order of the proto, apart from the order natural. */
export const references: Readonly<Record<number, (a: PlannedEntry, b: PlannedEntry) => number>> = {
  0: (a, b) => a.name.compare(b.name),
  1: (a, b) => a.name.compare(b.name),
  3: (a, b) => Math.sign(plantedBytes(a) - plantedBytes(b)),
  4: (a, b) => Math.sign(a.modifiedMs - b.modifiedMs),
  5: (a, b) => Math.sign(typeOf(a) - typeOf(b)),
};
