import { type ByteString, joinParts, toBytes, toText } from './byte-string.ts';
import type { Folder, Stats } from './folder.ts';
import { Kind } from './kind.ts';
import { linkTarget } from './link-target.ts';

/**
 * An entry in the shape of `archivos.v1.Entrada`, so that a handler passes it on as it is; where one does, the compiler
 * checks that the two agree. This is why these names are the API's.
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

/** The entry `name` of a folder, from what lstat said of it. */
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

/** A sparse file may claim more bytes than a number can tell (2^53); then its size is left out. */
function safeSize(size: bigint): number | undefined {
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : undefined;
}

// Years 1 to 9999: all that ISO 8601 and google.protobuf.Timestamp can tell.
const firstMs = Date.parse('0001-01-01T00:00:00.000Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/** The nearest millisecond, as in Node's own `mtime`: what was set to .123 s by way of a double is stored as .122999906. */
export function dateOf(nanoseconds: bigint): Date | undefined {
  const ms = Math.round(Number(nanoseconds) / 1e6);
  return ms >= firstMs && ms <= lastMs ? new Date(ms) : undefined;
}

/** `destino` has no form for bytes that are not UTF-8. */
function textOrNothing(path: ByteString | undefined): string | undefined {
  if (path === undefined) return undefined;
  const { text, exact } = toText(path);
  return exact ? text : undefined;
}
