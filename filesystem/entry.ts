import { type ByteString, joinParts, toBytes, toText } from './byte-string.ts';
import type { Folder, Stats } from './folder.ts';
import { Kind } from './kind.ts';
import { linkTarget } from './link-target.ts';

/**
 * An entry in the shape of `archivos.v1.Entrada`, so that a handler returns it unchanged. This is why its field names
 * are the API's; the compiler checks that the two agree.
 */
export interface Entry {
  readonly nombre: string;
  readonly ruta: string;
  readonly tipo: Kind;
  readonly bytes: number | undefined;
  readonly modificado: Date | undefined;
  readonly destino: string | undefined;
  readonly nombreBytes: Buffer | undefined;
  readonly rutaBytes: Buffer | undefined;
}

/** Builds the entry `name` of a folder from its lstat result. */
export function entryOf(folder: Folder, name: ByteString, stats: Stats): Entry {
  const path = joinParts(folder.path, name);
  const nombre = toText(name);
  const ruta = toText(path);
  const tipo = stats.kind;
  return {
    nombre: nombre.text,
    ruta: ruta.text,
    tipo,
    bytes: tipo === Kind.FOLDER ? undefined : safeSize(stats.size),
    modificado: dateOf(stats.mtimeNs),
    destino: tipo === Kind.LINK ? textOrNothing(linkTarget(folder, name)) : undefined,
    nombreBytes: nombre.exact ? undefined : toBytes(name),
    rutaBytes: ruta.exact ? undefined : toBytes(path),
  };
}

/** Omits sizes above 2^53, which a sparse file may claim: a number cannot hold them. */
function safeSize(size: bigint): number | undefined {
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : undefined;
}

// ISO 8601 and google.protobuf.Timestamp cover the years 1 to 9999.
const firstMs = Date.parse('0001-01-01T00:00:00.000Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Rounds to the nearest millisecond, as Node's `mtime` does: a time set to .123 s through a double is stored as
 * .122999906. Returns undefined outside of the years 1 to 9999.
 */
export function dateOf(nanoseconds: bigint): Date | undefined {
  const ms = Math.round(Number(nanoseconds) / 1e6);
  return ms >= firstMs && ms <= lastMs ? new Date(ms) : undefined;
}

/** Returns undefined for a path that is not UTF-8: `destino` cannot carry it. */
function textOrNothing(path: ByteString | undefined): string | undefined {
  if (path === undefined) return undefined;
  const { text, exact } = toText(path);
  return exact ? text : undefined;
}
