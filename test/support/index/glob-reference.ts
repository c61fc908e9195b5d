import { type Folding, foldText } from '../../../filesystem/folding.ts';

/** Returns whether a glob matches a whole text, by trying every way: exponential, but simple. */
export function globMatches(
  pattern: string,
  text: string,
  isPath: boolean,
  folding: Folding = { case: false, accents: false },
): boolean {
  return alternatives([...pattern]).some((plain) => matchesFrom(plain, 0, [...text], 0, isPath, folding));
}

/** Expands a glob's braces into globs without braces. */
function alternatives(pattern: readonly string[]): string[][] {
  let at = 0;
  while (at < pattern.length && pattern[at] !== '{')
    at = pattern[at] === '[' ? classEnd(pattern, at) + 1 : at + 1;
  if (at >= pattern.length) return [[...pattern]];
  const choices: string[][] = [[]];
  let depth = 0;
  let end = at;
  for (; ; end++) {
    const character = pattern[end] ?? '';
    if (character === '[') {
      const until = classEnd(pattern, end);
      choices.at(-1)?.push(...pattern.slice(end, until + 1));
      end = until;
      continue;
    }
    if (character === '}' && --depth === 0) break;
    if (character === ',' && depth === 1) choices.push([]);
    else if (depth > 0) choices.at(-1)?.push(character);
    if (character === '{') depth++;
  }
  const head = pattern.slice(0, at);
  return choices.flatMap((choice) => alternatives([...head, ...choice, ...pattern.slice(end + 1)]));
}

function classEnd(pattern: readonly string[], at: number): number {
  const negated = pattern[at + 1] === '!' || pattern[at + 1] === '^';
  return pattern.indexOf(']', at + (negated ? 3 : 2));
}

function matchesFrom(
  pattern: readonly string[],
  p: number,
  text: readonly string[],
  t: number,
  isPath: boolean,
  folding: Folding,
): boolean {
  const here = pattern[p];
  const character = text[t];
  if (here === undefined) return character === undefined;
  const rest = (next: number, at: number) => matchesFrom(pattern, next, text, at, isPath, folding);
  if (here === '*') {
    let end = p;
    while (pattern[end + 1] === '*') end++;
    const isDouble = isPath && end > p;
    const isWhole = p === 0 || pattern[p - 1] === '/';
    if (isDouble && isWhole && pattern[end + 1] === '/') {
      if (rest(end + 2, t)) return true;
      return text.some((other, at) => at >= t && other === '/' && rest(end + 2, at + 1));
    }
    for (let at = t; ; at++) {
      if (rest(end + 1, at)) return true;
      if (at >= text.length || (isPath && !isDouble && text[at] === '/')) return false;
    }
  }
  if (character === undefined) return false;
  if (here === '[') {
    const end = classEnd(pattern, p);
    return isInClass(pattern.slice(p + 1, end), character, isPath, folding) && rest(end + 1, t + 1);
  }
  if (here === '?') return !(isPath && character === '/') && rest(p + 1, t + 1);
  if (foldText(here, folding) !== foldText(character, folding)) return false;
  // Accents that no letter includes follow theirs.
  let at = t + 1;
  while (!rest(p + 1, at)) {
    const next = text[at++];
    if (next === undefined || foldText(next, folding) !== '') return false;
  }
  return true;
}

function isInClass(inside: readonly string[], character: string, isPath: boolean, folding: Folding): boolean {
  if (isPath && character === '/') return false;
  const negated = inside[0] === '!' || inside[0] === '^';
  const members = negated ? inside.slice(1) : inside;
  const cases = folding.case ? [character, character.toLowerCase(), character.toUpperCase()] : [character];
  for (let at = 0; at < members.length; at++) {
    const from = members[at]?.codePointAt(0) ?? 0;
    const isRange = members[at + 1] === '-' && at + 2 < members.length;
    const to = isRange ? (members[at + 2]?.codePointAt(0) ?? 0) : from;
    if (cases.some((each) => isBetween(from, each, to))) return !negated;
    if (isRange) at += 2;
  }
  return negated;
}

function isBetween(from: number, character: string, to: number): boolean {
  const point = character.codePointAt(0) ?? 0;
  return from <= point && point <= to;
}
