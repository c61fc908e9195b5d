/** Why valid JSON is refused. */
export type JsonFlaw = 'json-demasiado-profundo' | 'json-clave-repetida' | 'json-clave-reservada';

/** Names that change an object's prototype when code copies its members. */
const reserved: ReadonlySet<string> = new Set(['__proto__']);

/**
 * Returns the flaw of a text that `JSON.parse` has accepted; undefined for none. A flaw is a duplicate name (RFC 8259,
 * section 4: parsers differ in which one counts), a name reserved by JavaScript, or a depth that overflows the stack of
 * recursive code. One pass, no recursion.
 */
export function findJsonFlaw(json: string, maxDepth: number): JsonFlaw | undefined {
  /** The names in each open object; undefined for an array. */
  const openContainers: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
      case '[':
        if (openContainers.length === maxDepth) return 'json-demasiado-profundo';
        openContainers.push(json[at] === '{' ? new Set() : undefined);
        break;
      case '}':
      case ']':
        openContainers.pop();
        break;
      case '"': {
        const end = endOfString(json, at);
        const names = openContainers.at(-1);
        if (names !== undefined && isName(json, end)) {
          // Decoded, because escapes spell one name in several ways.
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

/** Returns the index after the closing quote of the string that starts at `at`. */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** Returns whether a string in an object is a name: only names are followed by a colon. */
function isName(json: string, end: number): boolean {
  let at = end;
  while (' \t\n\r'.includes(json[at] ?? '')) {
    if (at >= json.length) return false;
    at++;
  }
  return json[at] === ':';
}
