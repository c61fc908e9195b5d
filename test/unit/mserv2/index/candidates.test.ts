import { expect } from 'chai';
import fc from 'fast-check';
import { Kind } from '../../../../filesystem/kind.ts';
import { Candidates } from '../../../../mserv2/index/candidates.ts';
import { Segment } from '../../../../mserv2/index/segment.ts';

describe('the candidates for a needle', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 });
  const ends = fc.constantFrom('', '/');

  it('are the names that contain it, also when the search begins in the middle', () => {
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 300, size: 'max' }),
        text,
        ends,
        ends,
        fc.nat(300),
        (names, part, before, behind, first) => {
          const segment = new Segment();
          const listing = Buffer.from(names.join('/'));
          const kinds = new Uint8Array(names.length).fill(Kind.FILE);
          segment.append({ names: listing, end: listing.length, kinds }, 0, 0, names.length, 0);
          const needle = `${before}${part}${behind}`;
          const candidates = new Candidates(Buffer.from(needle), [segment]);
          const found: number[] = [];
          for (let slot = candidates.next(segment, first); slot < segment.count; ) {
            found.push(slot);
            slot = candidates.next(segment, slot + 1);
          }
          const expected = [...names.keys()].filter(
            (slot) => slot >= first && `/${names[slot]}/`.includes(needle),
          );
          expect(found).to.deep.equal(expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
