import { expect } from 'chai';
import { TokenBucket } from '../../../gateway/live/token-bucket.ts';

describe('a token bucket', () => {
  it('gives the whole burst at first, then the tokens that come back with time', () => {
    let now = 0;
    const bucket = new TokenBucket(3, 10, () => now);
    const takeAll = (): number => {
      let taken = 0;
      while (bucket.take()) taken++;
      return taken;
    };
    expect(takeAll()).to.equal(3);
    now += 99;
    expect(takeAll()).to.equal(0);
    now += 101;
    expect(takeAll()).to.equal(2);
    now += 3_600_000;
    expect(takeAll()).to.equal(3);
  });
});
