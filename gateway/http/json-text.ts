/** What of a JSON text cannot be taken, although it is JSON. `at` is the depth, or the name that is repeated. */
export type JsonFlaw = 'json-demasiado-profundo' | 'json-clave-repetida' | 'json-clave-reservada';

/** Names that are no data to JavaScript: code that copies an object may set its prototype by them. */
const reserved: ReadonlySet<string> = new Set(['__proto__']);

/**
 * Looks through a text that `JSON.parse` has taken for what it takes in silence: a name that comes twice in an object (RFC
 * 8259, section 4: readers differ in which one counts), one that JavaScript reserves, and a depth at which those who walk
 * through the value afterwards would run out of stack. One pass, no recursion.
 */
export function flawOf(json: string, maxDepth: number): JsonFlaw | undefined {
  /** For each open object the names so far; for an array nothing. */
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
      case '[':
        if (open.length === maxDepth) return 'json-demasiado-profundo';
        open.push(json[at] === '{' ? new Set() : undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const end = endOfString(json, at);
        const names = open.at(-1);
        if (names !== undefined && isName(json, end)) {
          // Two writings of one name are the same name.
          const name: string = JSON.parse(json.slice(at, end));
          if (reserved.has(name)) return 'json-clave-reservada';
          if (names.has(name)) return 'json-clave-repetida';
          names.add(name);
        }
        at = end - 1;
      }
    }
  }
  return undefined;
}

/** Just behind the quote that closes the string that begins at `at`. */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** Of all strings in an object only names are followed by a colon. */
function isName(json: string, end: number): boolean {
  let at = end;
  while (' \t\n\r'.includes(json[at] ?? '')) {
    if (at >= json.length) return false;
    at++;
  }
  return json[at] === ':';
}
