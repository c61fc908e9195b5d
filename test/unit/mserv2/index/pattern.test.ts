import { expect } from 'chai';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { fromText } from '../../../../filesystem/byte-string.ts';
import type { Folding } from '../../../../filesystem/folding.ts';
import { search } from '../../../../mserv2/index/search.ts';
import { anything, indexOf, withoutPause } from '../../../support/index/index-query.ts';

const ascii = [
  ...['a', 'B', 'b+', '1', '_', '.', '^', '$', '|', '(', ')', '*', '?', '{2}', '-', ']', 'Q', 'E'],
  ...['(?-i)', '(?i)', '(?-i:aB)', '(?P<aB>a)', '(?<ab>B)', '(?s:.)', '(?:ab)'],
  ...[
    '[a-b]',
    '[^a]',
    '[]a]',
    '[^]a]',
    '[Z-a]',
    '[[:upper:]]',
    '[^[:alpha:]_]',
    '[a\\]b]',
    '[\\pL]',
    '[\\Qa]',
  ],
  ...['\\d', '\\w', '\\W', '\\b', '\\pL', '\\PL', '\\p{Lu}', '\\x41', '\\x{61}', '\\.', '\\\\', '\\['],
  ...['\\Qa.b\\E', '\\Qa', '\\E', '\\Q[a\\Eb'],
];
const others = [
  'é',
  'É+',
  'ñ',
  'x\u0302',
  '[z-ÿ]',
  '[À-ÿ]',
  '[^é]',
  '\\x{e9}',
  '\\xe9',
  '\\Qé.\\E',
  '\\p{Greek}',
  'σ',
  'İ',
];

const patternOf = (pieces: readonly string[]) =>
  fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 6 }).map((some) => some.join(''));
const nameOf = (letters: readonly string[]) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 });
const asciiLetters = ['a', 'A', 'b', 'B', '1', '_', '.', '[', ']', '\\', 'Q', 'z', '-'];
const otherLetters = ['é', 'É', 'e\u0301', 'ñ', 'x\u0302', 'Σ', 'ς', 'İ', 'i', '\u0301'];

/** Whether RE2 itself finds a pattern in a name; undefined for a malformed pattern. */
function inRe2(pattern: string, name: string, folding: Folding): boolean | undefined {
  try {
    const flags = RE2JS.DOTALL | (folding.case ? RE2JS.CASE_INSENSITIVE : 0);
    return RE2JS.compile(pattern.normalize('NFC'), flags).test(name.normalize('NFC'));
  } catch {
    return undefined;
  }
}

async function found(nombre: string, name: string, folding: Folding): Promise<boolean | undefined> {
  try {
    const query = { ...anything, nombre, folding, mode: 'regex' as const };
    return (await search(indexOf([fromText(name)]), query, withoutPause)).total === 1;
  } catch {
    return undefined;
  }
}

describe('a regular expression', () => {
  it('matches as RE2 does when accents count', async () => {
    const pattern = patternOf([...ascii, ...others]);
    const name = nameOf([...asciiLetters, ...otherLetters]);
    await fc.assert(
      fc.asyncProperty(pattern, name, fc.boolean(), async (nombre, text, ignoresCase) => {
        const folding = { case: ignoresCase, accents: false };
        expect(await found(nombre, text, folding)).to.equal(inRe2(nombre, text, folding));
      }),
      { numRuns: 2000 },
    );
  });

  it('matches as RE2 does when neither it nor the name has accents', async () => {
    await fc.assert(
      fc.asyncProperty(
        patternOf(ascii),
        nameOf(asciiLetters),
        fc.boolean(),
        async (nombre, text, ignoresCase) => {
          const folding = { case: ignoresCase, accents: true };
          expect(await found(nombre, text, folding)).to.equal(inRe2(nombre, text, folding));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('matches as RE2 does when an anchor is repeated', async () => {
    const folding = { case: true, accents: true };
    for (const nombre of ['^^e+', 'a$$', '^^ea$$']) expect(await found(nombre, 'ea', folding)).to.equal(true);
  });

  it('matches every accented form of a name without accents, and no less than RE2', async () => {
    // Only literal letters, which ignore accents.
    const pieces = ['a', 'n', 'e+', '(a|n)', 'o?', 'i*', '^', '$', '\\Qne\\E', '-', '(?:an){2}'];
    const forms: Record<string, string[]> = {
      a: ['á', 'Ã'],
      n: ['ñ'],
      e: ['é', 'e\u0302'],
      o: ['ö'],
      i: ['İ', 'í'],
    };
    await fc.assert(
      fc.asyncProperty(
        patternOf(pieces),
        nameOf(['a', 'n', 'e', 'o', 'i', '-']),
        fc.nat(),
        async (nombre, text, seed) => {
          const folding = { case: true, accents: true };
          const accented = [...text].map((letter, at) => forms[letter]?.[(seed + at) % 3] ?? letter).join('');
          expect(await found(nombre, accented, folding), accented).to.equal(inRe2(nombre, text, folding));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
