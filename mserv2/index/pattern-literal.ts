import { foldText } from '../../filesystem/folding.ts';
import { coarse } from './latin.ts';
import { classSource, escapeSource } from './pattern-letters.ts';

const tokens = new RegExp(
  [
    String.raw`\\Q.*?(?:\\E|$)|${escapeSource}`,
    classSource,
    // The begin of a group, which may have a name or flags; or flags alone.
    String.raw`\((?:\?[^:)>]*[:)>])?`,
    // A quantifier.
    String.raw`\{\d+(?:,\d*)?\}`,
    // A letter with its marks, or another character.
    String.raw`\p{L}\p{M}*|.`,
  ].join('|'),
  'gsu',
);
const punctuation = /^\\[^\w\s]$/u;
const notAscii = /[^\p{ASCII}]/u;
const multiline = /\(\?[a-zA-Z]*m/;

/**
 * Returns a text that every name contains which a regular expression matches, in the coarse folding, with `/` for a
 * name's begin and end; empty when none is known. It reads only what stands outside of groups, and errs on the side
 * of less.
 */
export function literalOf(expression: string): string {
  const anchor = multiline.test(expression) ? undefined : '/';
  const runs: string[][] = [[]];
  let depth = 0;
  for (const [token] of expression.matchAll(tokens)) {
    if (token.startsWith('(')) {
      if (!/^\(\?.*\)$/s.test(token)) depth++;
      runs.push([]);
    } else if (token === ')') depth--;
    else if (depth > 0) continue;
    else if (token === '|') return '';
    else if (/^[*?{]/.test(token)) {
      // The character before may be missing.
      runs.at(-1)?.pop();
      runs.push([]);
    } else {
      const isAnchor = token === '^' || token === '$';
      const literal = isAnchor ? anchor : literalIn(token);
      if (literal === undefined) runs.push([]);
      // `^^` stands for one begin.
      else if (!isAnchor || runs.at(-1)?.at(-1) !== literal) runs.at(-1)?.push(literal);
    }
  }
  const texts = runs.map((run) => run.join(''));
  const longest = texts.reduce((best, text) => (text.length > best.length ? text : best), '');
  return /[^/]/.test(longest) ? longest : '';
}

/** Returns the folded text of a token that stands for itself, if that is ASCII: beyond, texts and patterns fold apart. */
function literalIn(token: string): string | undefined {
  if (punctuation.test(token)) return token.slice(1);
  if (/^[\\[.+]/.test(token)) return undefined;
  const folded = foldText(token, coarse);
  return notAscii.test(folded) ? undefined : folded;
}
