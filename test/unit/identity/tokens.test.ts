import { expect } from 'chai';
import { createTokens } from '../../../gateway/identity/tokens.ts';

describe('a Bearer token', () => {
  const verifications = async (maxAgeMs?: number): Promise<number> => {
    let verified = 0;
    const { verify } = createTokens(async () => {
      verified += 1;
      return { identity: { id: 'ana', scopes: new Set() }, expiresAt: Number.POSITIVE_INFINITY };
    }, maxAgeMs);
    for (let n = 0; n < 3; n++) await verify?.('a.b.c');
    return verified;
  };

  it('is verified once, and again when that was so long ago that its key may have been removed', async () => {
    expect(await verifications()).to.equal(1);
    expect(await verifications(0)).to.equal(3);
  });
});
