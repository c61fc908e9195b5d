/** A glob as a regular expression in RE2's syntax, for whole texts. */
export interface Glob {
  readonly source: string;
  /** Longest text that every match contains, with `/` for a name's begin and end where they belong to it. */
  readonly literal: string;
}

/**
 * Converts a glob to a regular expression.
 *
 * - `*` is any run of characters, `?` is one (a code point).
 * - `[abc]`, `[a-z]`, `[!x]` or `[^x]` is one character of a class; a `]` at the begin, and a `-` at either end, are
 *   members.
 * - `{a,b}` is one of several globs, which may have braces too.
 * - In a path all of these stop at `/`, and `**` does not: `x` after `**` and `/` is at any depth, also at the top.
 *
 * There is no escape: `[*]` is a literal star. A `}` or a `,` outside of braces is literal.
 * @param letter the source of a literal character
 * @returns undefined for a malformed glob: a class or a brace is not closed, or a range goes backwards
 */
export function parseGlob(pattern: string, isPath: boolean, letter = escaped): Glob | undefined {
  const characters = [...pattern];
  const anyOne = isPath ? '[^/]' : '.';
  const literals = new Literals();
  let source = '';
  let depth = 0;
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    switch (character) {
      case '*': {
        let end = at;
        while (characters[end + 1] === '*') end++;
        const isWhole = at === 0 || characters[at - 1] === '/';
        if (!isPath || end === at) {
          source += `${anyOne}*`;
        } else if (isWhole && characters[end + 1] === '/') {
          source += '(?:.*/)?';
          end++;
        } else {
          source += '.*';
        }
        at = end;
        literals.end();
        break;
      }
      case '?':
        source += anyOne;
        literals.end();
        break;
      case '[': {
        const negated = characters[at + 1] === '!' || characters[at + 1] === '^';
        const first = at + (negated ? 2 : 1);
        const end = characters.indexOf(']', first + 1);
        const ranges = end < 0 ? undefined : parseClass(characters.slice(first, end));
        if (ranges === undefined) return undefined;
        source += classSource(ranges, negated, isPath);
        at = end;
        literals.end();
        break;
      }
      case '{':
        source += '(?:';
        depth++;
        literals.end();
        break;
      default:
        if (depth > 0 && character === ',') source += '|';
        else if (depth > 0 && character === '}') {
          source += ')';
          depth--;
        } else {
          source += letter(character);
          if (depth === 0) literals.add(character);
        }
    }
  }
  return depth === 0 ? { source, literal: literals.longest() } : undefined;
}

/** Collects the runs of literal characters. */
class Literals {
  #run = '/';
  #longest = '';

  add(character: string): void {
    this.#run += character;
  }

  end(): void {
    if (this.#run.length > this.#longest.length) this.#longest = this.#run;
    this.#run = '';
  }

  longest(): string {
    this.add('/');
    this.end();
    return /[^/]/.test(this.#longest) ? this.#longest : '';
  }
}

type Range = readonly [from: number, to: number];

/** Returns undefined for a range that goes backwards. */
function parseClass(members: readonly string[]): Range[] | undefined {
  const ranges: Range[] = [];
  for (let at = 0; at < members.length; at++) {
    const from = members[at]?.codePointAt(0) ?? 0;
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    const to = isRange ? (members[at + 2]?.codePointAt(0) ?? 0) : from;
    if (to < from) return undefined;
    ranges.push([from, to]);
    if (isRange) at += 2;
  }
  return ranges;
}

const slash = 0x2f;

function classSource(ranges: readonly Range[], negated: boolean, isPath: boolean): string {
  const members = isPath && !negated ? ranges.flatMap(withoutSlash) : ranges;
  const inside = members.map(([from, to]) => `${codePoint(from)}-${codePoint(to)}`).join('');
  if (negated) return `[^${inside}${isPath ? '/' : ''}]`;
  return inside === '' ? '[^\\x{0}-\\x{10ffff}]' : `[${inside}]`;
}

function withoutSlash([from, to]: Range): Range[] {
  if (from > slash || to < slash) return [[from, to]];
  const parts: Range[] = [
    [from, slash - 1],
    [slash + 1, to],
  ];
  return parts.filter(([first, last]) => first <= last);
}

function codePoint(point: number): string {
  return `\\x{${point.toString(16)}}`;
}

/** Returns the source of a character that stands for itself. */
export function escaped(character: string): string {
  return /^[\p{L}\p{N}]$/u.test(character) ? character : codePoint(character.codePointAt(0) ?? 0);
}
