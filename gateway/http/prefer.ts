/** The supported preferences of a request (RFC 7240). */
export interface Preferences {
  readonly respondAsync: boolean;
  /** How long the client would wait for its answer, in seconds: 0 to 50. */
  readonly wait: number | undefined;
}

const maxWait = 50;
/** Maximum number of preferences; later ones are ignored. */
const maxParts = 50;

/**
 * Parses `Prefer`, including several headers joined with commas. Unknown and malformed preferences are ignored. Of a
 * repeated preference only the first counts, as the RFC requires.
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
    wait: /^\d+$/.test(wait) ? Math.min(Number(wait), maxWait) : undefined,
  };
}

/** Returns the value of `Preference-Applied`; undefined when none was applied. */
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

/** Splits in one pass, because a regular expression takes quadratic time on many quotes. */
function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length && parts.length < maxParts; at++) {
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

/** Returns a token as is, a quoted string without its quotes; undefined for a malformed value. */
function unquote(word: string): string | undefined {
  if (/^[^\s"]*$/.test(word)) return word;
  if (!/^"(?:[^"\\]|\\.)*"$/.test(word)) return undefined;
  return word.slice(1, -1).replace(/\\(.)/g, '$1');
}
