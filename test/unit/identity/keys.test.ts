import { expect } from 'chai';
import { decodeProtectedHeader, type FlattenedJWSInput } from 'jose';
import { IssuerUnavailableError, remoteKeys } from '../../../gateway/identity/keys.ts';
import { startTokenIssuer, type TokenIssuer } from '../../support/servers/token-issuer.ts';

/** The key, or why there is none. */
function asking(issuer: TokenIssuer): (kid: string) => Promise<unknown> {
  const keys = remoteKeys(async () => new URL(`${issuer.url}/keys`), 0);
  return async (kid) => {
    try {
      return await keys({ alg: 'RS256', kid }, {} as FlattenedJWSInput);
    } catch (error) {
      return error;
    }
  };
}

describe('The keys of an issuer', () => {
  it('stay good while it does not answer, though others are asked for that are not known', async () => {
    await using issuer = await startTokenIssuer();
    const { kid = '' } = decodeProtectedHeader(await issuer.token());
    const keyOf = asking(issuer);
    expect(await keyOf(kid)).to.have.property('type', 'public');
    issuer.broken = true;
    for (let n = 0; n < 3; n++) {
      expect(await keyOf(`otra-${n}`)).to.be.instanceOf(IssuerUnavailableError);
      expect(await keyOf(kid)).to.have.property('type', 'public');
    }
  });

  it('cannot be had before it has answered', async () => {
    await using issuer = await startTokenIssuer();
    issuer.broken = true;
    const keyOf = asking(issuer);
    for (let n = 0; n < 2; n++) expect(await keyOf('una')).to.be.instanceOf(IssuerUnavailableError);
  });
});
