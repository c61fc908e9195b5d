import { expect } from 'chai';
import { SignJWT } from 'jose';
import { accepted } from '../support/ledger/accepted.ts';
import { setUp } from '../support/processes/set-up.ts';

describe('An expired token', () => {
  it('ends the stream of events that was opened with it', async () => {
    const secret = 'x'.repeat(32);
    await using it = await setUp({ running: ['gateway'], env: { AUTH: 'jwt', JWT_SECRET: secret } });
    // Five seconds of clock skew are allowed, so this token is valid for ten.
    const token = await new SignJWT({ sub: 'ana', scope: 'archivos:leer' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('archivero')
      .setAudience('archivero')
      .setExpirationTime(Math.floor(Date.now() / 1000) + 5)
      .sign(Buffer.from(secret));
    const authorization = `Bearer ${token}`;
    const answer = await accepted(it, '/listar_archivos', { authorization });
    const path = answer.replace('/respuesta', '/eventos');
    const stream = await it.get(path, { authorization });
    expect(stream.status).to.equal(200);
    // No service runs, so only the expiry of the token ends the stream.
    expect(await stream.text())
      .to.include('"estado":"aceptada"')
      .and.not.include('completada');
    expect((await it.get(path, { authorization })).status).to.equal(401);
  });
});
