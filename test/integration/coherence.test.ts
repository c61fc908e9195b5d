import { expect } from 'chai';
import { measureCoherence } from '../support/clients/coherence.ts';
import { setUp } from '../support/processes/set-up.ts';

describe('Listings of folders that change continuously', () => {
  it('are always right without the cache, and from the cache once the changes end', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    const options = { ms: 2_000, folders: 40, writesPerSecond: 400, readsPerSecond: 800 };
    const { cached, aroundCache, aroundCacheWrong, wrongForEver } = await measureCoherence(it, options);
    expect(cached).to.be.greaterThan(0);
    expect(aroundCache).to.be.greaterThan(0);
    expect({ aroundCacheWrong, wrongForEver }).to.deep.equal({ aroundCacheWrong: 0, wrongForEver: 0 });
  });
});
