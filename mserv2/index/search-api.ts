import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Folding } from '../../filesystem/folding.ts';
import type { Kind } from '../../filesystem/kind.ts';

/** How `nombre` is looked for. Each has a file of its own that says what it means. */
export type Mode = 'contiene' | 'exacto' | 'prefijo' | 'sufijo' | 'glob' | 'regex' | 'difuso';

/** What is compared: an entry's name, or its path below the root. */
export type Field = 'nombre' | 'ruta';

export type SearchOrder = 'relevancia' | 'nombre' | 'ruta' | 'bytes' | 'modificado';

/** What decides which entries are found: all of a query but its order and its page. */
export interface Criteria {
  /** Where to look; all below. Nothing is found in a folder that the index does not know. */
  readonly parts: readonly ByteString[];
  /** What to look for; empty means everything. */
  readonly nombre: string;
  readonly mode: Mode;
  readonly field: Field;
  /** What makes no difference. */
  readonly folding: Folding;
  readonly kinds: ReadonlySet<number>;
  /** What names may end with after a dot, in any case, with or without that dot; none means anything. */
  readonly extensions: readonly string[];
  /** Sizes in bytes, both included. */
  readonly minBytes: number | undefined;
  readonly maxBytes: number | undefined;
  /** Dates in milliseconds since 1970, both included; compared with dates as they are shown, to the nearest millisecond. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** Whether hidden entries, and what lies in folders that are hidden below the start, are found. */
  readonly hidden: boolean;
}

export interface SearchQuery extends Criteria {
  readonly order: SearchOrder;
  readonly descending: boolean;
  /** Entries of a page, at least 1. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** From which to before which UTF-16 unit of a name's text. */
export type TextRange = readonly [from: number, to: number];

/** An entry that was found, as the index knows it. */
export interface Hit {
  readonly path: ByteString;
  readonly kind: Kind;
  /** Where the name matches, in order, apart from each other. */
  readonly coincidencias: readonly TextRange[];
  /** Only when `mode` is difuso and something is looked for; more is better. */
  readonly puntaje: number | undefined;
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** How many match, on all pages together. */
  readonly total: number;
  /** The cursor of the next page; it holds though hits be dropped from this one. */
  readonly siguiente: string | undefined;
}
