import { expect } from 'chai';
import fc from 'fast-check';
import { foldText } from '../../../../filesystem/folding.ts';
import { Kind } from '../../../../filesystem/kind.ts';
import { Segment } from '../../../../mserv2/index/segment.ts';
import { expectAssembled } from '../../../support/index/assembly.ts';
import { anyName } from '../../../support/index/index-model.ts';

const folder = new URL('../../../../mserv2/index/', import.meta.url);

/** The own and the folded names that a segment stores for one listing. */
function storedNames(names: readonly Buffer[]): { readonly own: string[]; readonly folded: string[] } {
  const listing = Buffer.from(names.map((name) => name.toString('latin1')).join('/'), 'latin1');
  const kinds = new Uint8Array(names.length).fill(Kind.FILE);
  const segment = new Segment();
  const end = segment.append({ names: listing, end: listing.length, kinds }, 0, 0, names.length, 0);
  expect(end).to.equal(names.length === 0 ? 0 : listing.length + 1);
  const own = Buffer.alloc(4096);
  const slots = [...names.keys()];
  return {
    own: slots.map((slot) => own.toString('latin1', 0, segment.copyName(slot, own))),
    folded: slots.map((slot) => {
      const [start = 0, next = 0] = segment.starts.subarray(slot, slot + 2);
      expect(segment.names[next - 1]).to.equal(0x2f);
      return segment.names.toString('utf8', start, next - 1);
    }),
  };
}

function expectFolded(names: readonly Buffer[]): void {
  const { own, folded } = storedNames(names);
  expect(own).to.deep.equal(names.map((name) => name.toString('latin1')));
  expect(folded).to.deep.equal(names.map((name) => foldText(name.toString(), { case: true, accents: true })));
}

describe('the folding of names, 16 bytes at a time', () => {
  it('has the WebAssembly of its source', () => expectAssembled(folder, 'name-fold'));

  it('equals the folding of text, for random names side by side', () => {
    const unit = fc.constantFrom(
      'a',
      'Z',
      '@',
      '[',
      '`',
      '{',
      '.',
      'ñ',
      'Ñ',
      'İ',
      'ŉ',
      'ı',
      'ﬃ',
      'กิ',
      'ß',
      '\u0301',
      'Σ',
      '漢',
      '😀',
    );
    const long = fc.string({ unit, minLength: 1, maxLength: 80, size: 'max' });
    const name = fc.oneof(
      long.map((text) => Buffer.from(text)),
      anyName.map((bytes) => Buffer.from(bytes, 'latin1')),
    );
    fc.assert(fc.property(fc.array(name, { maxLength: 40, size: 'max' }), expectFolded), { numRuns: 500 });
  });

  it('equals the folding of text for every letter of two bytes, at the start and end of a name', () => {
    const letters = Array.from({ length: 0x800 - 0x80 }, (_, i) => String.fromCharCode(0x80 + i));
    expectFolded(
      letters.flatMap((letter) => [letter, `a${letter}`, `${letter}B`].map((text) => Buffer.from(text))),
    );
  });

  it('keeps a capital letter of the own name at any position', () => {
    const lengths = Array.from({ length: 50 }, (_, length) => length + 1);
    const positions = lengths.flatMap((length) =>
      lengths.filter((at) => at <= length).map((at) => ({ length, at })),
    );
    expectFolded(
      positions.map(({ length, at }) => Buffer.from(`${'a'.repeat(at - 1)}A${'a'.repeat(length - at)}`)),
    );
  });

  it('handles more and longer names than one pass can fold', () => {
    const short = Array.from({ length: 10_000 }, (_, i) => Buffer.from(`Á${i}`));
    const long = Array.from({ length: 70 }, (_, i) => Buffer.from('ñA'.repeat(1365).slice(0, 1300 + i)));
    expectFolded([...short, ...long, Buffer.alloc(4096, 'x'), Buffer.from('end')]);
  });
});
