import { expect } from 'chai';
import { decodeProtectedHeader, errors, type FlattenedJWSInput } from 'jose';
import { discoverKeysUrl, IssuerUnavailableError, remoteKeys } from '../../../gateway/identity/keys.ts';
import { eventually } from '../../support/processes/eventually.ts';
import { startTokenIssuer, type TokenIssuer } from '../../support/servers/token-issuer.ts';

/** Returns a lookup that resolves to the key, or to the error. */
function keyLookup(
  issuer: TokenIssuer,
  find = async () => new URL(`${issuer.url}/keys`),
  maxAgeMs?: number,
): (kid: string) => Promise<unknown> {
  const keys = remoteKeys(find, 0, maxAgeMs);
  return async (kid) => {
    try {
      return await keys({ alg: 'RS256', kid }, {} as FlattenedJWSInput);
    } catch (error) {
      return error;
    }
  };
}

describe('the keys of an issuer', () => {
  it('stay usable while the issuer does not answer, also after lookups of unknown keys', async () => {
    await using issuer = await startTokenIssuer();
    const { kid = '' } = decodeProtectedHeader(await issuer.token());
    const keyOf = keyLookup(issuer);
    expect(await keyOf(kid)).to.have.property('type', 'public');
    issuer.broken = true;
    for (let n = 0; n < 3; n++) {
      expect(await keyOf(`otra-${n}`)).to.be.instanceOf(IssuerUnavailableError);
      expect(await keyOf(kid)).to.have.property('type', 'public');
    }
  });

  it('are found by a discovery document that names the issuer exactly', async () => {
    await using issuer = await startTokenIssuer();
    expect((await discoverKeysUrl(issuer.url)).href).to.equal(`${issuer.url}/keys`);
    for (const named of [`${issuer.url}/`, 'https://another.example', undefined as never]) {
      issuer.named = named;
      const error = await discoverKeysUrl(issuer.url).catch((thrown: unknown) => thrown);
      expect(String(error), named).to.include('not JWT_ISSUER');
    }
  });

  it('are used at once when they are old, while the issuer accepts connections and never answers', async () => {
    await using issuer = await startTokenIssuer();
    const { kid = '' } = decodeProtectedHeader(await issuer.token());
    const keyOf = keyLookup(issuer, undefined, 0);
    await keyOf(kid);
    issuer.silent = true;
    const order: string[] = [];
    const asked = issuer.nextRequest();
    const unknown = keyLookup(issuer)('otra').then(() => order.push('gave up'));
    await asked;
    expect(await keyOf(kid)).to.have.property('type', 'public');
    order.push('used');
    await unknown;
    expect(order).to.deep.equal(['used', 'gave up']);
  });

  it('are forgotten when the issuer removes them, at the first lookup after it answered', async () => {
    await using issuer = await startTokenIssuer();
    const { kid = '' } = decodeProtectedHeader(await issuer.token());
    const keyOf = keyLookup(issuer, undefined, 0);
    await keyOf(kid);
    issuer.keyless = true;
    await eventually(async () => (await keyOf(kid)) instanceof errors.JWKSNoMatchingKey);
    issuer.keyless = false;
    expect(await keyOf(kid)).to.have.property('type', 'public');
  });

  it('are found at their new place when the issuer has moved them', async () => {
    await using issuer = await startTokenIssuer();
    await using successor = await startTokenIssuer();
    const { kid = '' } = decodeProtectedHeader(await successor.token());
    let place = issuer;
    const keyOf = keyLookup(issuer, async () => new URL(`${place.url}/keys`));
    await keyOf('una');
    place = successor;
    issuer.broken = true;
    await eventually(async () => !((await keyOf(kid)) instanceof Error));
  });

  it('are unavailable until the issuer has answered once', async () => {
    await using issuer = await startTokenIssuer();
    issuer.broken = true;
    const keyOf = keyLookup(issuer);
    for (let n = 0; n < 2; n++) expect(await keyOf('una')).to.be.instanceOf(IssuerUnavailableError);
  });
});
