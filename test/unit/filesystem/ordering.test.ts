import { expect } from 'chai';
import fc from 'fast-check';
import { fromBytes, fromText, toBytes, toText } from '../../../filesystem/byte-string.ts';
import { comparePlaces, naturalKey, orders, type SortPlace } from '../../../filesystem/ordering.ts';
import { Smallest } from '../../../filesystem/smallest.ts';
import { hostileName } from '../../support/files/hostile-tree.ts';

const place: fc.Arbitrary<SortPlace> = hostileName.map((bytes) => {
  const path = fromBytes(bytes);
  return { key: orders.natural.key(path), path };
});

describe('natural order', () => {
  it('is a total order', () => {
    const compare = comparePlaces(false);
    fc.assert(
      fc.property(place, place, place, (a, b, c) => {
        expect(compare(a, b)).to.equal(-compare(b, a) + 0);
        expect(compare(a, b) === 0).to.equal(a.path === b.path);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).to.be.at.most(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('sorts numbers by value, also between other characters and with leading zeros', () => {
    const around = fc.string({ unit: fc.constantFrom('a', 'Ñ', '.', ' ', '-', 'é') });
    fc.assert(
      fc.property(
        around,
        fc.bigInt({ min: 0n, max: 10n ** 30n }),
        fc.bigInt({ min: 0n, max: 10n ** 30n }),
        around,
        around,
        (head, a, b, x, y) => {
          fc.pre(a < b);
          expect(naturalKey(`${head}${a}${x}`) < naturalKey(`${head}${b}${y}`)).to.equal(true);
          expect(naturalKey(`${head}00${a}`)).to.equal(naturalKey(`${head}${a}`));
        },
      ),
    );
  });
});

describe('descending order', () => {
  it('reverses the keys and keeps equal keys in the order of their paths', () => {
    const places = [
      ['1', 'b'],
      ['2', 'c'],
      ['1', 'a'],
      ['2', 'd'],
    ].map(([key = '', path = '']) => ({ key, path: fromText(path) }));
    const paths = (descending: boolean): string =>
      places
        .toSorted(comparePlaces(descending))
        .map((each) => each.path)
        .join('');
    expect(paths(false)).to.equal('abcd');
    expect(paths(true)).to.equal('cdab');
  });
});

describe('the smallest items', () => {
  it('are the first items of the whole sorted list', () => {
    const compare = (a: number, b: number): number => a - b;
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.integer({ min: 1, max: 10 }), (numbers, size) => {
        const smallest = new Smallest(size, compare);
        for (const number of numbers) smallest.add(number);
        expect(smallest.items()).to.deep.equal(numbers.toSorted(compare).slice(0, size));
      }),
    );
  });
});

describe('a byte string', () => {
  it('converts back to its bytes and compares like them', () => {
    const bytes = fc.uint8Array();
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(toBytes(fromBytes(a)).equals(a)).to.equal(true);
        expect(fromBytes(a) < fromBytes(b)).to.equal(Buffer.compare(a, b) < 0);
      }),
    );
  });

  it('converts to text, exact unless its bytes are not UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (text, bytes) => {
        expect(toText(fromText(text))).to.deep.equal({ text, exact: true });
        expect(toText(fromBytes(bytes)).exact).to.equal(
          Buffer.from(Buffer.from(bytes).toString()).equals(bytes),
        );
      }),
    );
    expect(toText(fromText('\ufffd'))).to.deep.equal({ text: '\ufffd', exact: true });
    expect(toText(fromText('\ufeffa'))).to.deep.equal({ text: '\ufeffa', exact: true });
  });
});
