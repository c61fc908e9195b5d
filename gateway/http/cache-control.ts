/** What a request says of answers that are kept (RFC 9111, section 5.2.1; RFC 5861), as far as it is understood here. */
export interface CacheDirectives {
  /** Only what is made for this request will do. */
  readonly noCache: boolean;
  /** The answer must not be kept. */
  readonly noStore: boolean;
  /** Seconds that a kept answer may be old. */
  readonly maxAge: number | undefined;
  /** Seconds that an answer may be old which is given because no other can be had. */
  readonly staleIfError: number | undefined;
}

/** Nobody writes more; what comes behind them does not count. */
const mostDirectives = 50;

const none: CacheDirectives = {
  noCache: false,
  noStore: false,
  maxAge: undefined,
  staleIfError: undefined,
};

/** Reads `Cache-Control`, or without it `Pragma`. What is unknown or malformed is ignored; of what is repeated the least counts. */
export function parseCacheControl(header: string | undefined, pragma?: string | undefined): CacheDirectives {
  if (header === undefined)
    return pragma?.toLowerCase().includes('no-cache') ? { ...none, noCache: true } : none;
  const directives = header.split(',', mostDirectives).map((text) => text.trim().toLowerCase());
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
