import { expect } from 'chai';
import fc from 'fast-check';
import { splitTime } from '../../../filesystem/split-time.ts';

describe('splitTime', () => {
  it('gives whole milliseconds, rounded down, and the rest in nanoseconds', () => {
    const times = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(2n ** 70n), 2n ** 70n));
    fc.assert(
      fc.property(times, (time) => {
        const { ms, ns } = splitTime(time);
        const rest = ((time % 1_000_000n) + 1_000_000n) % 1_000_000n;
        expect(ns).to.equal(Number(rest));
        expect(ms).to.equal(Number((time - rest) / 1_000_000n));
      }),
    );
  });

  it('is exact below and above 64 bits', () => {
    expect(splitTime(2n ** 63n - 1n)).to.deep.equal({ ms: 9_223_372_036_854, ns: 775_807 });
    expect(splitTime(2n ** 63n)).to.deep.equal({ ms: 9_223_372_036_854, ns: 775_808 });
    expect(splitTime(-1n)).to.deep.equal({ ms: -1, ns: 999_999 });
  });
});
