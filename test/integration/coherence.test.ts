import { expect } from 'chai';
import { measureCoherence } from '../support/clients/coherence.ts';
import { setUp } from '../support/processes/set-up.ts';

describe('Folders that change all the time', () => {
  it('are always right around the cache, and in the end also out of it', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    const options = { ms: 2_000, folders: 40, writesPerSecond: 400, readsPerSecond: 800 };
    const { cached, aroundCache, aroundCacheWrong, wrongForEver } = await measureCoherence(it, options);
    expect(cached).to.be.greaterThan(0);
    expect(aroundCache).to.be.greaterThan(0);
    expect({ aroundCacheWrong, wrongForEver }).to.deep.equal({ aroundCacheWrong: 0, wrongForEver: 0 });
  });
});
