import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { pino } from 'pino';
import { createGrpcTransport, type GrpcTransport } from '../../gateway/calls/grpc-transport.ts';
import { checkHealth } from '../../gateway/calls/health.ts';
import { createServiceClient } from '../../gateway/calls/load-balanced-client.ts';
import type { CallResult, ServiceClient } from '../../gateway/calls/service-client.ts';
import { eventually } from '../support/processes/eventually.ts';
import { type Proc, startProcess } from '../support/processes/processes.ts';
import { listarArchivos, listRequest } from '../support/services/listado-server.ts';

describe('The service client when services are killed or frozen', () => {
  const cleanUp: (() => unknown)[] = [];

  afterEach(async () => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
  });

  async function startService(port = 0): Promise<Proc> {
    const service = await startProcess('test/support/services/listado-child.ts', { LISTADO_PORT: `${port}` });
    cleanUp.push(() => service.kill());
    return service;
  }

  async function clientTo(...services: readonly Proc[]): Promise<ServiceClient> {
    const client = createServiceClient({
      service: 'mserv1',
      addresses: services.map(({ port }) => `127.0.0.1:${port}`).join(','),
      deadlineMs: 60_000,
      log: pino({ level: 'silent' }),
    });
    cleanUp.push(() => client.stop());
    await client.start();
    return client;
  }

  function call(client: ServiceClient, ruta = ''): Promise<CallResult> {
    const options = { signal: new AbortController().signal, requestId: 'r1', traceparent: '' };
    return client.call(listarArchivos, listRequest(ruta), options);
  }

  function proxyErrorOf(result: CallResult): string {
    return result.kind === 'unreachable' ? result.proxyError : result.kind;
  }

  it('notices without a call that an idle service is killed, and that it is back', async () => {
    const service = await startService();
    const client = await clientTo(service);
    expect((await call(client)).kind).to.equal('verdict');
    await service.kill();
    await eventually(() => !client.reachable);
    expect((await call(client)).kind).to.equal('unreachable');
    await startService(service.port);
    await eventually(() => client.reachable);
    expect((await call(client)).kind).to.equal('verdict');
  });

  it('ends a call long before its deadline when the service is killed in mid-call', async () => {
    const service = await startService();
    const client = await clientTo(service);
    const result = call(client, 'cuelga');
    await service.waitFor(({ msg }) => msg === 'hangs');
    await service.kill();
    expect(proxyErrorOf(await result)).to.equal('connection_terminated');
    expect(client.reachable).to.equal(false);
  });

  it('repeats a call at the other replica when one is killed in mid-call', async () => {
    const [one, other] = [await startService(), await startService()];
    const client = await clientTo(one, other);
    await eventually(() => client.addresses().every(({ breaker }) => breaker === 'closed'));
    const results = [call(client, 'cuelga'), call(client, 'cuelga')];
    await Promise.all([one, other].map((each) => each.waitFor(({ msg }) => msg === 'hangs')));
    await one.kill();
    await eventually(() => other.lines.filter(({ msg }) => msg === 'hangs').length === 2);
    await other.kill();
    for (const result of results) expect(proxyErrorOf(await result)).to.equal('connection_terminated');
  });

  it('ends a call before its deadline when the service is frozen in mid-call', async () => {
    const service = await startService();
    const client = await clientTo(service);
    const result = call(client, 'cuelga');
    await service.waitFor(({ msg }) => msg === 'hangs');
    service.pause();
    expect(proxyErrorOf(await result)).to.equal('connection_terminated');
    expect(client.reachable).to.equal(false);
    service.resume();
    await eventually(() => client.reachable);
    expect((await call(client)).kind).to.equal('verdict');
  });

  it('notices without a call that an idle service is frozen', async () => {
    const service = await startService();
    const client = await clientTo(service);
    service.pause();
    await eventually(() => !client.reachable);
    expect((await call(client)).kind).to.equal('unreachable');
    service.resume();
    await eventually(() => client.reachable);
  });

  it('answers the call in flight when a service is frozen for two seconds', async () => {
    const service = await startService();
    const client = await clientTo(service);
    service.pause();
    const result = call(client);
    await eventually(() => !client.reachable);
    service.resume();
    expect((await result).kind).to.equal('verdict');
    await eventually(() => client.reachable);
  });

  it('returns an answer that arrived in time though its own process was blocked beyond the deadline', async () => {
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const thread = new Worker(new URL('../support/services/listado-thread.ts', import.meta.url), {
      workerData: answered,
    });
    cleanUp.push(() => thread.terminate());
    const [port] = await once(thread, 'message');
    const transport = createGrpcTransport(`127.0.0.1:${port}`);
    cleanUp.push(transport.close);
    expect(await checkHealth(transport, 60_000)).to.equal(undefined);
    const { signal } = new AbortController();
    const options = { signal, requestId: 'r1', traceparent: '', deadlineMs: 1_000 };
    const begun = performance.now();
    const outcome = transport.unary(listarArchivos, listRequest(), options);
    await once(thread, 'message');
    Atomics.wait(answered, 0, 0);
    while (performance.now() - begun <= options.deadlineMs);
    expect((await outcome).ok).to.equal(true);
  });

  describe('with a peer that never speaks', () => {
    async function startSilent(): Promise<{ address: string; sockets: readonly Socket[] }> {
      const sockets: Socket[] = [];
      const server = createServer((socket) => sockets.push(socket.on('error', () => undefined).resume()));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanUp.push(() => {
        server.close();
        for (const socket of sockets) socket.destroy();
      });
      return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
    }

    function connectTo(address: string): GrpcTransport {
      const transport = createGrpcTransport(address, { stuckMs: 30 });
      cleanUp.push(transport.close);
      return transport;
    }

    it('gives up the connection and opens another one', async () => {
      const { address, sockets } = await startSilent();
      connectTo(address);
      await eventually(() => sockets.length >= 3 && sockets.slice(0, 2).every(({ destroyed }) => destroyed));
    });

    it('opens no connection after the channel is closed', async () => {
      const [left, tried] = [await startSilent(), await startSilent()];
      const transport = connectTo(left.address);
      await eventually(() => left.sockets.length === 1);
      transport.close();
      connectTo(tried.address);
      await eventually(() => tried.sockets.length >= 5);
      expect(left.sockets).to.have.length(1);
      expect(left.sockets[0]).to.have.property('destroyed', true);
    });

    it('opens no connection when the channel is closed before it begins to connect', async () => {
      const [left, tried] = [await startSilent(), await startSilent()];
      connectTo(left.address).close();
      connectTo(tried.address);
      await eventually(() => tried.sockets.length >= 40);
      // One attempt was under way, and grpc-js may make a second one. A channel left open makes one every 500 ms.
      expect(left.sockets.length).to.be.at.most(2);
    });
  });
});
