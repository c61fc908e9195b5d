import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { BadAddressError } from '../../../gateway/calls/addresses.ts';
import {
  createServiceClient,
  type ServiceClientOptions,
} from '../../../gateway/calls/load-balanced-client.ts';
import type { CallResult, ServiceClient } from '../../../gateway/calls/service-client.ts';
import { Status } from '../../../runtime/status.ts';
import { eventually } from '../../support/processes/eventually.ts';
import {
  emptyPage,
  type ListadoOptions,
  listarArchivos,
  listRequest,
  notRepeatable,
  startHttp2,
  startListado,
} from '../../support/services/listado-server.ts';

describe('The service client', () => {
  const cleanUp: (() => unknown)[] = [];

  afterEach(async () => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
  });

  async function serve(options: ListadoOptions = {}) {
    const listado = await startListado(options);
    cleanUp.push(listado.stop);
    return listado;
  }

  /** Starts a server without a health service that ends every call with `end`; returns its address. */
  async function serveHttp2(end: (stream: ServerHttp2Stream) => void): Promise<string> {
    const server = await startHttp2((stream, headers) => {
      if (!headers[':path']?.endsWith('/Check')) return end(stream);
      const unimplemented = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' };
      stream.respond(unimplemented, { endStream: true });
    });
    cleanUp.push(server.stop);
    return server.address;
  }

  async function clientTo(
    addresses: string,
    more: Partial<ServiceClientOptions> = {},
  ): Promise<ServiceClient> {
    const client = createServiceClient({
      service: 'mserv1',
      addresses,
      deadlineMs: 10_000,
      log: pino({ level: 'silent' }),
      probeIntervalMs: 20,
      ...more,
    });
    cleanUp.push(() => client.stop());
    await client.start();
    return client;
  }

  /** Returns an address without a listener. */
  async function freeAddress(): Promise<string> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return `127.0.0.1:${port}`;
  }

  const options = () => ({ signal: new AbortController().signal, requestId: 'r1', traceparent: '' });
  const call = (client: ServiceClient, method = listarArchivos) =>
    client.call(method, listRequest(), options());

  function unreachable(result: CallResult): CallResult & { kind: 'unreachable' } {
    if (result.kind !== 'unreachable') throw new Error(`it was ${JSON.stringify(result)}`);
    return result;
  }

  it('returns the answer and the address that gave it', async () => {
    const { address } = await serve();
    const client = await clientTo(address);
    expect(await call(client)).to.deep.equal({
      kind: 'verdict',
      ok: true,
      response: emptyPage,
      address,
    });
  });

  it("returns the handler's own status as a verdict", async () => {
    const { address } = await serve({
      handle: (_call, answer) => answer({ code: Status.NOT_FOUND, details: 'ruta-no-existe: No' }),
    });
    expect(await call(await clientTo(address))).to.deep.equal({
      kind: 'verdict',
      ok: false,
      code: Status.NOT_FOUND,
      message: 'ruta-no-existe: No',
      address,
    });
  });

  it('spreads its calls evenly over all addresses', async () => {
    const [a, b, c] = [await serve(), await serve(), await serve()];
    const client = await clientTo(`${a.address},${b.address},${c.address}`);
    const served: string[] = [];
    for (let i = 0; i < 6; i++) {
      const result = await call(client);
      if (result.kind === 'verdict') served.push(result.address);
    }
    for (const { address } of [a, b, c]) expect(served.filter((each) => each === address)).to.have.length(2);
  });

  it('opens the breaker before the first call when the address refuses connections', async () => {
    const address = await freeAddress();
    const client = await clientTo(address);
    expect(client.reachable).to.equal(false);
    expect(client.addresses()).to.deep.equal([{ address, breaker: 'open' }]);
    expect(unreachable(await call(client))).to.deep.include({ address, proxyError: 'connection_refused' });
  });

  it('tries one other address when one is unavailable', async () => {
    const unavailable = await serve({ handle: (_call, answer) => answer({ code: Status.UNAVAILABLE }) });
    const available = await serve();
    const client = await clientTo(`${unavailable.address},${available.address}`);
    for (let i = 0; i < 4; i++)
      expect(await call(client)).to.include({ kind: 'verdict', address: available.address });
    expect(client.addresses().map(({ breaker }) => breaker)).to.deep.equal(['closed', 'closed']);
  });

  it('tries no third address when two are unavailable', async () => {
    let calls = 0;
    const servers = [1, 2, 3].map(() =>
      serve({
        handle: (_call, answer) => {
          calls++;
          answer({ code: Status.UNAVAILABLE });
        },
      }),
    );
    const addresses = (await Promise.all(servers)).map(({ address }) => address).join(',');
    unreachable(await call(await clientTo(addresses)));
    expect(calls).to.equal(2);
  });

  it('does not repeat a sent call of a method that is not repeatable', async () => {
    let calls = 0;
    const handle: ListadoOptions['handle'] = (_call, answer) => {
      calls++;
      answer({ code: Status.UNAVAILABLE });
    };
    const [a, b] = [await serve({ handle }), await serve({ handle })];
    unreachable(await call(await clientTo(`${a.address},${b.address}`), notRepeatable));
    expect(calls).to.equal(1);
  });

  it('repeats a refused call, also of a method that is not repeatable', async () => {
    const refusing = await serveHttp2((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const available = await serve();
    const client = await clientTo(`${refusing},${available.address}`);
    for (let i = 0; i < 4; i++) {
      expect(await call(client, notRepeatable)).to.include({ kind: 'verdict', address: available.address });
    }
    expect(client.addresses().map(({ breaker }) => breaker)).to.deep.equal(['closed', 'closed']);
  });

  it('returns the failure of the call that was sent when the other was refused', async () => {
    const [refusing, breaking] = [
      await serveHttp2((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)),
      await serveHttp2((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)),
    ];
    const client = await clientTo(`${refusing},${breaking}`);
    for (let i = 0; i < 2; i++) {
      expect(unreachable(await call(client))).to.include({
        address: breaking,
        proxyError: 'connection_terminated',
      });
    }
  });

  it('returns gone when its signal is aborted, before and during a call', async () => {
    const abort = new AbortController();
    const { address } = await serve({ handle: () => abort.abort() });
    const client = await clientTo(address);
    const gone = { kind: 'gone' };
    const abortable = { ...options(), signal: abort.signal };
    expect(await client.call(listarArchivos, listRequest(), abortable)).to.deep.equal(gone);
    expect(await client.call(listarArchivos, listRequest(), abortable)).to.deep.equal(gone);
    expect(client.reachable).to.equal(true);
  });

  it('keeps the breaker closed after a call that was too slow', async () => {
    const { address } = await serve({ handle: () => undefined });
    const client = await clientTo(address);
    const result = await client.call(listarArchivos, listRequest(), { ...options(), deadlineMs: 50 });
    expect(unreachable(result).proxyError).to.equal('http_response_timeout');
    expect(client.reachable).to.equal(true);
  });

  it('opens the breaker before the first call when the peer is silent', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanUp.push(() => {
      silent.close();
      for (const socket of sockets) socket.destroy();
    });
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const client = await clientTo(address, { probeDeadlineMs: 100 });
    expect(client.reachable).to.equal(false);
    expect(unreachable(await call(client)).proxyError).to.equal('connection_timeout');
  });

  it('reports when it becomes unreachable and reachable again', async () => {
    const reported: boolean[] = [];
    const { address, port, stop } = await serve();
    const client = await clientTo(address);
    const end = client.onReachable((reachable) => reported.push(reachable));
    await stop();
    await eventually(() => !client.reachable);
    await serve({ port });
    await eventually(() => client.reachable);
    end();
    await client.stop();
    expect(reported).to.deep.equal([false, true]);
  });

  describe('with health checks', () => {
    it('keeps the breaker open while an address says NOT_SERVING', async () => {
      const { address } = await serve({ health: 'NOT_SERVING' });
      const client = await clientTo(address);
      expect(client.reachable).to.equal(false);
      expect(unreachable(await call(client)).failure.message).to.equal('NOT_SERVING');
    });

    it('calls a server that has no health service', async () => {
      const { address } = await serve({ health: 'none' });
      const client = await clientTo(address);
      expect((await call(client)).kind).to.equal('verdict');
    });

    it('reports the health and latency of every address on request', async () => {
      const [serving, notServing, closed] = [
        await serve(),
        await serve({ health: 'NOT_SERVING' }),
        { address: await freeAddress() },
      ];
      const client = await clientTo([serving, notServing, closed].map(({ address }) => address).join(','));
      const health = await client.probe(5_000);
      expect(health.map(({ address, ok }) => [address, ok])).to.deep.equal([
        [serving.address, true],
        [notServing.address, false],
        [closed.address, false],
      ]);
      for (const { latencyMs } of health) expect(latencyMs).to.be.at.least(0);
    });
  });

  describe('with a DNS name', () => {
    it('keeps one channel per resolved address while addresses come and go', async () => {
      const { port } = await serve();
      let found = ['127.0.0.1'];
      const client = await clientTo(`dns:///mserv1:${port}`, {
        resolveIntervalMs: 5,
        lookup: async () => found.map((address) => ({ address })),
      });
      const first = { address: `127.0.0.1:${port}`, breaker: 'closed' };
      expect(client.addresses()).to.deep.equal([first]);
      expect((await call(client)).kind).to.equal('verdict');
      found = ['127.0.0.1', '127.0.0.2'];
      await eventually(() => client.addresses().length === 2);
      expect(client.addresses()[0]).to.deep.equal(first);
      found = ['127.0.0.2'];
      await eventually(() => client.addresses().length === 1);
      expect(client.addresses()[0]?.address).to.equal(`127.0.0.2:${port}`);
    });

    it('finishes calls to an address that is no longer resolved', async () => {
      const begun = Promise.withResolvers<() => void>();
      const { port } = await serve({
        handle: (_call, answer) => begun.resolve(() => answer(null, emptyPage)),
      });
      let found = ['127.0.0.1'];
      const client = await clientTo(`dns:///mserv1:${port}`, {
        resolveIntervalMs: 5,
        lookup: async () => found.map((address) => ({ address })),
      });
      const result = call(client);
      const answer = await begun.promise;
      found = [];
      await eventually(() => client.addresses().length === 0);
      expect(unreachable(await call(client)).proxyError).to.equal('dns_error');
      answer();
      expect((await result).kind).to.equal('verdict');
    });

    describe('of IPv4 and IPv6 addresses', () => {
      const lookup = async () => [{ address: '::1' }, { address: '127.0.0.1' }];
      const state = (client: ServiceClient) =>
        client.addresses().map(({ breaker, unused = false }) => ({ breaker, unused }));

      it('marks the family that has never answered as unused while the other answers', async () => {
        const { port, stop } = await serve();
        const client = await clientTo(`dns:///mserv1:${port}`, { lookup });
        const down = { breaker: 'open', unused: true };
        expect(state(client)).to.deep.equal([down, { breaker: 'closed', unused: false }]);
        expect((await call(client)).kind).to.equal('verdict');
        await stop();
        await eventually(() => !client.reachable);
        expect(state(client)).to.deep.equal([down, { breaker: 'open', unused: false }]);
        expect(unreachable(await call(client)).address).to.equal(`127.0.0.1:${port}`);
      });

      it('counts the family that has answered before', async () => {
        const { port } = await serve();
        const other = await serve({ host: '[::1]', port });
        const client = await clientTo(`dns:///mserv1:${port}`, { lookup });
        await eventually(() => state(client).every(({ breaker }) => breaker === 'closed'));
        await other.stop();
        await eventually(() => state(client)[0]?.breaker === 'open');
        expect(state(client)).to.deep.equal([
          { breaker: 'open', unused: false },
          { breaker: 'closed', unused: false },
        ]);
      });

      it('counts every address while none has answered', async () => {
        const { port, stop } = await serve();
        await stop();
        const client = await clientTo(`dns:///mserv1:${port}`, { lookup });
        const down = { breaker: 'open', unused: false };
        expect(state(client)).to.deep.equal([down, down]);
      });

      it('counts each address of a family of which one has answered', async () => {
        const { port } = await serve();
        const client = await clientTo(`dns:///mserv1:${port}`, {
          lookup: async () => [...(await lookup()), { address: '127.0.0.2' }],
        });
        expect(state(client).map(({ unused }) => unused)).to.deep.equal([true, false, false]);
      });
    });

    it('resolves the name as the machine does', async () => {
      const { port } = await serve();
      const client = await clientTo(`dns:///localhost:${port}`);
      expect((await call(client)).kind).to.equal('verdict');
    });
  });

  it('refuses an invalid address', () => {
    const make = () =>
      createServiceClient({
        service: 'mserv1',
        addresses: 'http://x',
        deadlineMs: 1,
        log: pino({ level: 'silent' }),
      });
    expect(make).to.throw(BadAddressError);
  });

  it('can be stopped before it starts, and twice', async () => {
    const { address } = await serve();
    const client = createServiceClient({
      service: 'mserv1',
      addresses: address,
      deadlineMs: 1_000,
      log: pino({ level: 'silent' }),
    });
    await client.stop();
    await client.stop();
    expect(unreachable(await call(client)).address).to.equal(address);
  });
});
