import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Folding } from '../../filesystem/folding.ts';
import type { Kind } from '../../filesystem/kind.ts';

/** Modes of matching `nombre`. `literal-o-glob` is the default for a `nombre` that may be a glob. */
export type Mode =
  | 'contiene'
  | 'literal-o-glob'
  | 'exacto'
  | 'prefijo'
  | 'sufijo'
  | 'glob'
  | 'regex'
  | 'difuso';

/** The compared text: an entry's name, or its path below the root. */
export type Field = 'nombre' | 'ruta';

export type SearchOrder = 'relevancia' | 'nombre' | 'ruta' | 'bytes' | 'modificado';

/** Conditions that decide which entries are found: a query without its order and its page. */
export interface Criteria {
  /**
   * Path of the folder to search, with all below it. A folder that the index does not know has no entries.
   */
  readonly parts: readonly ByteString[];
  /** The text to find; empty for every entry. */
  readonly nombre: string;
  readonly mode: Mode;
  readonly field: Field;
  /** Differences that are ignored. */
  readonly folding: Folding;
  readonly kinds: ReadonlySet<number>;
  /** Extensions that pass, in any case, with or without the dot; none for all. */
  readonly extensions: readonly string[];
  /** Bounds of the size in bytes, inclusive. */
  readonly minBytes: number | undefined;
  readonly maxBytes: number | undefined;
  /**
   * Bounds of the date in milliseconds since 1970, inclusive; compared with shown dates, to the nearest millisecond.
   */
  readonly since: number | undefined;
  readonly until: number | undefined;
  /** Whether hidden entries, and entries of folders that are hidden below the start, are found. */
  readonly hidden: boolean;
  /** Whether only files with another hard link are found. */
  readonly shared?: boolean;
}

export interface SearchQuery extends Criteria {
  readonly order: SearchOrder;
  readonly descending: boolean;
  /** Entries of a page, at least 1. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

/** A range of UTF-16 units of a name's text, without its end. */
export type TextRange = readonly [from: number, to: number];

/** A found entry, by the index's data. */
export interface Hit {
  readonly path: ByteString;
  readonly kind: Kind;
  /** Matching ranges of the name, in order and disjoint. */
  readonly coincidencias: readonly TextRange[];
  /** Set only in mode difuso with a text to find; more is better. */
  readonly puntaje: number | undefined;
}

export interface SearchResult {
  readonly hits: readonly Hit[];
  /** Number of matches on all pages together. */
  readonly total: number;
  /** Cursor of the next page; it stays valid when hits are dropped from this one. */
  readonly siguiente: string | undefined;
}
