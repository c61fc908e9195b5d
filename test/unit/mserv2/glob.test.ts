import { expect } from 'chai';
import fc from 'fast-check';
import { compileGlob } from '../../../mserv2/glob.ts';

function glob(pattern: string, name: string): boolean | undefined {
  return compileGlob(pattern)?.(name);
}

/** What a pattern means, said by a regular expression, which is slow where the real one must not be. */
function reference(pattern: string): RegExp {
  const source = pattern.replaceAll(/\[(!?)(\]?[^\]]*)\]|\*|\?|./gsu, (piece, not, members) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    if (members === undefined) return piece.replace(/[\\^$.*+?()[\]{}|/-]/u, '\\$&');
    return `[${not === '!' ? '^' : ''}${members.replaceAll(/[\\^\][]/gu, '\\$&')}]`;
  });
  return new RegExp(`^${source}$`, 'su');
}

describe('a glob', () => {
  const cases: [string, string[], string[]][] = [
    ['*.txt', ['a.txt', '.txt', 'a.txt.txt'], ['a.txt2', 'txt', 'a.TXT']],
    ['?', ['a', 'ñ', '😀', '\n'], ['', 'ab', 'n\u0303']],
    ['', [''], ['a']],
    ['***', ['', 'a', 'abc'], []],
    ['a*b*c', ['abc', 'aXbYc', 'abbcc'], ['ab', 'acb', 'abcd']],
    ['[a-cx]', ['a', 'b', 'c', 'x'], ['d', 'ab', '-', '']],
    ['[!a-c]', ['d', '!'], ['a', 'b', '']],
    ['[^a]', ['b', '^'], ['a']],
    ['[]]', [']'], ['[']],
    ['[]-]', [']', '-'], ['a']],
    ['[!]a]', ['b'], [']', 'a']],
    ['[-a]', ['-', 'a'], ['b']],
    ['[a-]', ['-', 'a'], ['b']],
    ['[*?]', ['*', '?'], ['a', '']],
    ['[[]', ['['], [']']],
    ['[ñ-ó]', ['ñ', 'ò', 'ó'], ['n', 'o']],
    ['[😀-😂]', ['😁'], ['😃']],
    ['a]b', ['a]b'], ['ab']],
    ['\\*', ['\\', '\\a'], ['*']],
    ['a.b', ['a.b'], ['axb']],
  ];
  for (const [pattern, yes, no] of cases) {
    it(`${pattern || 'of nothing'}`, () => {
      for (const name of yes) expect(glob(pattern, name), name).to.equal(true);
      for (const name of no) expect(glob(pattern, name), name).to.equal(false);
    });
  }

  for (const pattern of ['[', 'a[', '[]', '[!]', '[!', '[^', '[a', 'a[b-a]', '[]', '*[z-a]*', '[a]b[']) {
    it(`${pattern} is malformed`, () => {
      expect(compileGlob(pattern)).to.equal(undefined);
    });
  }

  it('means what a regular expression says', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '*',
      '?',
      '.',
      '[ab]',
      '[!a]',
      '[a-c]',
      '[]-]',
      'ñ',
      '😀',
      '$',
      '\\',
    );
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const name = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', '.', ']', '-', 'ñ', '😀', '$', '\\'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(pattern, name, (text, subject) => {
        expect(glob(text, subject)).to.equal(reference(text).test(subject));
      }),
      { numRuns: 3000 },
    );
  });

  it('is total: any text is a pattern or malformed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (pattern, name) => {
        expect(glob(pattern, name)).to.be.oneOf([true, false, undefined]);
      }),
    );
  });

  it('takes no more than length × length steps', () => {
    // A backtracking matcher would not end in this universe.
    expect(glob(`${'*a'.repeat(500)}b`, 'a'.repeat(255))).to.equal(false);
  });
});
