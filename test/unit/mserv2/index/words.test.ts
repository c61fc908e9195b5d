import { expect } from 'chai';
import fc from 'fast-check';
import { parseWords } from '../../../../mserv2/index/words.ts';

/** The words of a query; excluded ones begin with an exclamation mark. */
const wordsOf = (nombre: string) =>
  parseWords(nombre).map(({ text, excluded }) => (excluded ? `!${text}` : text));

describe('the words of a query in the mode contiene', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['  \t\n ', []],
    ['informe', ['informe']],
    [' informe  2026\u00a0acta ', ['informe', '2026', 'acta']],
    ['"informe final"', ['informe final']],
    ['"informe final', ['informe final']],
    ['"a"b', ['a', 'b']],
    ['a"b c"', ['a"b', 'c"']],
    ['"dijo ""hola"""', ['dijo "hola"']],
    ['""', []],
    ['"" a', ['a']],
    ['"', []],
    ['-borrador', ['!borrador']],
    ['informe -borrador', ['informe', '!borrador']],
    ['-"muy viejo" nuevo', ['!muy viejo', 'nuevo']],
    ['-""', []],
    ['-', ['-']],
    ['--', ['--']],
    ['a - b', ['a', '-', 'b']],
    ['--rf', ['!-rf']],
    ['"-rf"', ['-rf']],
    ['a-b', ['a-b']],
    ['\\"a', ['\\"a']],
    ['ñandú', ['ñandú']],
  ];
  for (const [nombre, words] of cases) {
    it(`are [${words.join(' | ')}] for ${JSON.stringify(nombre)}`, () =>
      expect(wordsOf(nombre)).to.deep.equal(words));
  }

  it('are the whole name when it is quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        expect(wordsOf(`"${name.replaceAll('"', '""')}"`)).to.deep.equal([name]);
      }),
    );
  });

  it('are never empty, and are parsed in linear time', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '-', ' ', 'a'), maxLength: 30 }), (nombre) => {
        for (const { text } of parseWords(nombre)) expect(text).not.to.equal('');
      }),
    );
    expect(parseWords('""'.repeat(50_000))).to.have.lengthOf(1);
    expect(parseWords(`${'-'.repeat(100_000)} `)).to.have.lengthOf(1);
  });
});
