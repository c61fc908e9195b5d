import { expect } from 'chai';
import fc from 'fast-check';
import { FileError } from '../../../filesystem/file-error.ts';
import { createMatcher, defaultMode, type Mode } from '../../../mserv2/matcher.ts';

const loose = { case: true, accents: true };
const exact = { case: false, accents: false };

function found(nombre: string, names: string[], mode: Mode = 'contiene', folding = loose): string[] {
  return names.filter(createMatcher(nombre, mode, folding));
}

describe('looking for a name', () => {
  it('contains, by default without case and accents', () => {
    const names = ['Informe Técnico.pdf', 'INFORME TECNICO', 'te\u0301cnico', 'tecno'];
    expect(found('técnico', names)).to.deep.equal(names.slice(0, 3));
    expect(found('TECNICO', names)).to.deep.equal(names.slice(0, 3));
  });

  it('tells ñ from n when accents count, however it is spelt', () => {
    const names = ['año', 'an\u0303o', 'ano', 'AÑO'];
    expect(found('ano', names)).to.deep.equal(names);
    expect(found('año', names, 'exacto', { case: true, accents: false })).to.deep.equal([
      'año',
      'an\u0303o',
      'AÑO',
    ]);
    expect(found('an\u0303o', names, 'contiene', exact)).to.deep.equal(['año', 'an\u0303o']);
    expect(found('ano', names, 'contiene', exact)).to.deep.equal(['ano']);
  });

  it('tells case when asked to', () => {
    expect(
      found('año', ['año', 'AÑO', 'ano', 'Ano'], 'exacto', { case: false, accents: true }),
    ).to.deep.equal(['año', 'ano']);
  });

  it('knows the letters whose case is odd', () => {
    expect(found('istanbul', ['İSTANBUL'])).to.have.lengthOf(1);
    expect(found('ΟΔΟΣ', ['οδος', 'ΟΔΟΣΑ', 'οδοσ'])).to.have.lengthOf(3);
  });

  it('takes a whole syllable of Hangul, or none', () => {
    expect(found('가', ['각', '가'])).to.deep.equal(['가']);
    expect(found('?', ['각'.normalize('NFD')], 'glob')).to.have.lengthOf(1);
  });

  it('exactly means the whole name', () => {
    expect(found('nota', ['nota', 'notas', 'NOTA', ' nota'], 'exacto')).to.deep.equal(['nota', 'NOTA']);
  });

  it('by glob folds both sides', () => {
    expect(found('ESPAÑ?*', ['españa.txt', 'Espana', 'espan'], 'glob')).to.deep.equal([
      'españa.txt',
      'Espana',
    ]);
    expect(found('[À-Ö]x', ['bx', 'ax', 'ox', 'px'], 'glob')).to.deep.equal(['bx', 'ax', 'ox']);
  });

  it('of nothing finds everything, in every mode', () => {
    for (const mode of ['contiene', 'exacto', 'glob'] as const) {
      expect(found('', ['', 'a', '\ufffd'], mode, exact)).to.have.lengthOf(3);
    }
  });

  it('takes a text with * ? or [ for a glob', () => {
    expect(['*.txt', 'a?', '[ab]', 'a]', 'a', ''].map(defaultMode)).to.deep.equal([
      'glob',
      'glob',
      'glob',
      'contiene',
      'contiene',
      'contiene',
    ]);
  });

  it('refuses a malformed pattern and an endless one', () => {
    const reasonOf = (nombre: string, mode: Mode): unknown => {
      try {
        return createMatcher(nombre, mode, loose);
      } catch (error) {
        return error instanceof FileError ? `${error.code} ${error.reason}` : error;
      }
    };
    expect(reasonOf('[a', 'glob')).to.equal('INVALID_ARGUMENT patron-no-valido');
    expect(reasonOf('[a', 'contiene')).to.be.a('function');
    expect(reasonOf('ñ'.repeat(513), 'contiene')).to.equal('INVALID_ARGUMENT nombre-demasiado-largo');
    expect(reasonOf('ñ'.repeat(512), 'glob')).to.be.a('function');
  });

  it('finds every name by any part of it, however both are spelt', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'Ñ', 'é', 'Σ', 'ß', 'İ', '가', '😀', ' '),
      minLength: 1,
    });
    const form = fc.constantFrom('NFC', 'NFD');
    fc.assert(
      fc.property(
        text,
        text,
        text,
        form,
        form,
        fc.boolean(),
        fc.boolean(),
        (a, b, c, one, other, cases, accents) => {
          const folding = { case: cases, accents };
          const name = `${a}${b}${c}`.normalize(one);
          expect(createMatcher(b.normalize(other), 'contiene', folding)(name)).to.equal(true);
          expect(createMatcher(`*${b}*`.normalize(other), 'glob', folding)(name)).to.equal(true);
        },
      ),
    );
  });
});
