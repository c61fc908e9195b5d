/** One place of a pattern: it takes one character, or (`any`) a run of any length. */
type Token = 'any' | ((character: string) => boolean);

/**
 * Makes a test for whole names from a pattern of `*`, `?`, and classes: `[abc]`, `[a-z]`, `[!x]` or `[^x]`, where a `]` that
 * comes first is a member. There is no escape: `[*]` is a literal star. Characters are code points.
 *
 * The test goes back to the last star only, so it takes at most length × length steps, whatever the pattern.
 * Returns undefined for a pattern that is malformed: a class that is not closed, or a range that goes backwards.
 */
export function compileGlob(pattern: string): ((name: string) => boolean) | undefined {
  const tokens = parseGlob([...pattern]);
  return tokens && ((name) => matches(tokens, [...name]));
}

function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const test = tokens[token];
    if (test === 'any') {
      star = token++;
      starAt = at;
    } else if (test?.(name[at] ?? '')) {
      token++;
      at++;
    } else if (star >= 0) {
      // Let the last star take one character more, and try again from behind it.
      token = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (tokens[token] === 'any') token++;
  return token === tokens.length;
}

function parseGlob(pattern: readonly string[]): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '*') {
      tokens.push('any');
    } else if (character === '?') {
      tokens.push(() => true);
    } else if (character === '[') {
      const negated = pattern[at + 1] === '!' || pattern[at + 1] === '^';
      const first = at + (negated ? 2 : 1);
      const end = pattern.indexOf(']', first + 1);
      const test = end < 0 ? undefined : parseClass(pattern.slice(first, end), negated);
      if (test === undefined) return undefined;
      tokens.push(test);
      at = end;
    } else {
      tokens.push((other) => other === character);
    }
  }
  return tokens;
}

/** Undefined for a range that goes backwards. A `-` at either end is a member. */
function parseClass(members: readonly string[], negated: boolean): Token | undefined {
  const ranges: [number, number][] = [];
  for (let at = 0; at < members.length; at++) {
    const from = codePoint(members[at]);
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    const to = isRange ? codePoint(members[at + 2]) : from;
    if (to < from) return undefined;
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return (character) => {
    const point = codePoint(character);
    return ranges.some(([from, to]) => from <= point && point <= to) !== negated;
  };
}

function codePoint(character: string | undefined): number {
  return character?.codePointAt(0) ?? -1;
}
