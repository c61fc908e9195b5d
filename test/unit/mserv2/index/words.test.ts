import { expect } from 'chai';
import fc from 'fast-check';
import { parseWords } from '../../../../mserv2/index/words.ts';

/** Each word, with an exclamation mark before those that are excluded. */
const wordsOf = (nombre: string) =>
  parseWords(nombre).map(({ text, excluded }) => (excluded ? `!${text}` : text));

describe('the words of contiene', () => {
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
    it(`${JSON.stringify(nombre)}`, () => expect(wordsOf(nombre)).to.deep.equal(words));
  }

  it('of any name, when it is quoted, are the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
        expect(wordsOf(`"${name.replaceAll('"', '""')}"`)).to.deep.equal([name]);
      }),
    );
  });

  it('never are empty, and take linear time', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '-', ' ', 'a'), maxLength: 30 }), (nombre) => {
        for (const { text } of parseWords(nombre)) expect(text).not.to.equal('');
      }),
    );
    expect(parseWords('""'.repeat(50_000))).to.have.lengthOf(1);
    expect(parseWords(`${'-'.repeat(100_000)} `)).to.have.lengthOf(1);
  });
});
