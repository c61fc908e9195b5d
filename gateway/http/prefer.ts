/** What a client prefers (RFC 7240), as far as it is understood here. */
export interface Preferences {
  readonly respondAsync: boolean;
  /** Seconds that the client would wait for its answer, 0 to 50. */
  readonly wait: number | undefined;
}

const longestWait = 50;
/** Nobody writes more; what comes behind them does not count. */
const mostParts = 50;

/**
 * Reads `Prefer`, several headers joined with commas included. Unknown and malformed preferences are ignored, and of one
 * that is repeated only the first counts, as the RFC asks.
 */
export function parsePrefer(header: string | undefined): Preferences {
  const preferences = new Map<string, string | undefined>();
  for (const element of splitOutsideQuotes(header ?? '', ',')) {
    const [preference = ''] = splitOutsideQuotes(element, ';');
    const [name = '', ...value] = preference.split('=');
    const key = name.trim().toLowerCase();
    if (!preferences.has(key)) preferences.set(key, unquote(value.join('=').trim()));
  }
  const wait = preferences.get('wait') ?? '';
  return {
    respondAsync: preferences.get('respond-async') === '',
    wait: /^\d+$/.test(wait) ? Math.min(Number(wait), longestWait) : undefined,
  };
}

/** The header `Preference-Applied`; undefined when no preference was. */
export function preferenceApplied(applied: {
  readonly respondAsync?: boolean;
  readonly wait?: number | undefined;
}): string | undefined {
  const words = [
    ...(applied.respondAsync ? ['respond-async'] : []),
    ...(applied.wait === undefined ? [] : [`wait=${applied.wait}`]),
  ];
  return words.length === 0 ? undefined : words.join(', ');
}

/** In one pass: a header of nothing but quotes must not cost its square. */
function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length && parts.length < mostParts; at++) {
    const character = text[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** A token as it is, a quoted string without its quotes; undefined for neither. */
function unquote(word: string): string | undefined {
  if (/^[^\s"]*$/.test(word)) return word;
  if (!/^"(?:[^"\\]|\\.)*"$/.test(word)) return undefined;
  return word.slice(1, -1).replace(/\\(.)/g, '$1');
}
