import { expect } from 'chai';
import fc from 'fast-check';
import { isoText } from '../../../gateway/operations/iso-date.ts';

describe('a date as text', () => {
  it('equals toJSON for any date', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: false }), (date) => {
        expect(isoText(date)).to.equal(date.toJSON());
      }),
      { numRuns: 10_000 },
    );
  });

  it('equals toJSON at the edges of days, years and the range of Date', () => {
    const day = 86_400_000;
    for (const start of [
      -8.64e15,
      -62_135_596_800_000,
      -day,
      0,
      951_782_400_000,
      253_402_300_800_000,
      8.64e15,
    ]) {
      for (const ms of [start - day, start - 1, start, start + 1, start + day - 1]) {
        expect(isoText(new Date(ms))).to.equal(new Date(ms).toJSON());
      }
    }
  });
});
