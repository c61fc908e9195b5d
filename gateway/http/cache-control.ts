/** The supported cache directives of a request (RFC 9111, section 5.2.1; RFC 5861). */
export interface CacheDirectives {
  /** A cached answer must not be used. */
  readonly noCache: boolean;
  /** The answer must not be stored. */
  readonly noStore: boolean;
  /** Maximum age of a cached answer, in seconds. */
  readonly maxAge: number | undefined;
  /** Maximum age of an answer that is sent because no current one is available, in seconds. */
  readonly staleIfError: number | undefined;
}

/** Maximum number of directives; later ones are ignored. */
const maxDirectives = 50;

const none: CacheDirectives = {
  noCache: false,
  noStore: false,
  maxAge: undefined,
  staleIfError: undefined,
};

/** Parses `Cache-Control`, or `Pragma` without it. Unknown directives are ignored; of repeated ones the least counts. */
export function parseCacheControl(header: string | undefined, pragma?: string | undefined): CacheDirectives {
  if (header === undefined)
    return pragma?.toLowerCase().includes('no-cache') ? { ...none, noCache: true } : none;
  const directives = header.split(',', maxDirectives).map((text) => text.trim().toLowerCase());
  const seconds = (name: string): number | undefined => {
    const values = directives
      .map((text) => new RegExp(`^${name}\\s*=\\s*"?(\\d{1,10})"?$`).exec(text)?.[1])
      .filter((digits) => digits !== undefined);
    return values.length === 0 ? undefined : Math.min(...values.map(Number));
  };
  const has = (name: string): boolean =>
    directives.some((text) => text === name || text.startsWith(`${name}=`));
  return {
    noCache: has('no-cache'),
    noStore: has('no-store'),
    maxAge: seconds('max-age'),
    staleIfError: seconds('stale-if-error'),
  };
}
