import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import type { State } from '../../../gateway/http/state.ts';
import { inOrder } from '../../../gateway/http/steps.ts';
import { versionPrefix } from '../../../gateway/http/version-prefix.ts';

describe('the end of /v1', () => {
  it('is announced in Deprecation and Sunset below /v1 only', async () => {
    const app = new Koa<State>();
    const deprecation = new Date('2027-01-31T00:00:00Z');
    app.use(inOrder(versionPrefix({ deprecation, sunset: new Date('2027-12-31T00:00:00Z') })));
    app.use((ctx) => {
      ctx.body = 'x';
    });
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = async (path: string) => {
      const answer = await fetch(url + path);
      await answer.text();
      return [answer.headers.get('deprecation'), answer.headers.get('sunset')];
    };
    expect(await headers('/v1/x')).to.deep.equal(['@1801353600', 'Fri, 31 Dec 2027 00:00:00 GMT']);
    expect(await headers('/x')).to.deep.equal([null, null]);
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
});
