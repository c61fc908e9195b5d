import { expect } from 'chai';
import fc from 'fast-check';
import { ByteScan, pieceBytes } from '../../../../mserv2/index/byte-scan.ts';
import { expectAssembled } from '../../../support/index/assembly.ts';

const folder = new URL('../../../../mserv2/index/', import.meta.url);

function naivePositions(needle: Buffer, text: Buffer, end: number): number[] {
  const positions: number[] = [];
  for (let at = text.indexOf(needle); at >= 0 && at + needle.length <= end; at = text.indexOf(needle, at + 1))
    positions.push(at);
  return positions;
}

describe('the byte scan', () => {
  it('has the WebAssembly of its source', () => expectAssembled(folder, 'byte-scan'));

  it('finds every occurrence, whichever two bytes it compares first', () => {
    const bytes = (minLength: number, maxLength: number) =>
      fc.array(fc.constantFrom(0x61, 0x62, 0x2f, 0xff), { minLength, maxLength, size: 'max' });
    fc.assert(
      fc.property(bytes(1, 5), bytes(0, 200), fc.nat(), fc.nat(), fc.nat(), (part, all, one, other, cut) => {
        const [needle, text] = [Buffer.from(part), Buffer.from(all)];
        const end = cut % (text.length + 1);
        const scan = new ByteScan(needle, [one % needle.length, other % needle.length]);
        expect([...scan.places(text, end)]).to.deep.equal(naivePositions(needle, text, end));
      }),
      { numRuns: 500 },
    );
  });

  it('finds an occurrence across the border of two pieces', () => {
    const needle = Buffer.from('aguja');
    const scan = new ByteScan(needle, [1, 3]);
    for (let shift = -7; shift <= 2; shift++) {
      const text = Buffer.alloc(3 * pieceBytes, 'a');
      const wanted = [1, 2].map((piece) => piece * pieceBytes + shift * piece);
      for (const at of wanted) needle.copy(text, at);
      expect([...scan.places(text, text.length)]).to.deep.equal(wanted);
    }
    const everywhere = new ByteScan(Buffer.from('aa'), [0, 1]);
    const all = everywhere.places(Buffer.alloc(2 * pieceBytes, 'a'), 2 * pieceBytes);
    expect([all.length, all[0], all.at(-1)]).to.deep.equal([2 * pieceBytes - 1, 0, 2 * pieceBytes - 2]);
  });
});
