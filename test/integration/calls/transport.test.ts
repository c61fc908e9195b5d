import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';
import { createGrpcTransport, type GrpcTransport } from '../../../gateway/calls/grpc-transport.ts';
import type { CallOptions, GrpcFailure, Outcome } from '../../../gateway/calls/transport.ts';
import { Status, statusName } from '../../../runtime/status.ts';
import {
  emptyPage,
  folder,
  type ListadoHandler,
  listarArchivos,
  startHttp2,
  startListado,
} from '../../support/services/listado-server.ts';

/** What `docs/classifier.md` says of every situation, asked of real servers. */
describe('The gRPC transport', () => {
  const cleanUp: (() => unknown)[] = [];

  afterEach(async () => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
  });

  function transportTo(address: string): GrpcTransport {
    const transport = createGrpcTransport(address);
    cleanUp.push(transport.close);
    return transport;
  }

  async function serve(handle: ListadoHandler) {
    const listado = await startListado({ handle });
    cleanUp.push(listado.stop);
    return { ...listado, transport: transportTo(listado.address) };
  }

  async function serveHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<GrpcTransport> {
    const server = await startHttp2(answer);
    cleanUp.push(server.stop);
    return transportTo(server.address);
  }

  /** A TCP server that is no gRPC server. */
  async function serveTcp(server: Server): Promise<GrpcTransport> {
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return transportTo(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  const options = (more: Partial<CallOptions> = {}): CallOptions => ({
    deadlineMs: 10_000,
    signal: new AbortController().signal,
    requestId: 'r1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ...more,
  });

  const call = (transport: GrpcTransport, more: Partial<CallOptions> = {}) =>
    transport.unary(listarArchivos, folder(), options(more));

  function failureOf(outcome: Outcome<unknown>): Omit<GrpcFailure, 'code'> & { code: string } {
    if (outcome.ok) throw new Error('it was answered');
    return { ...outcome.failure, code: statusName(outcome.failure.code) };
  }

  function expectFailure(
    outcome: Outcome<unknown>,
    origin: GrpcFailure['origin'],
    wanted: object,
    text: RegExp,
  ) {
    const { message, ...rest } = failureOf(outcome);
    expect(rest).to.deep.equal({ origin, cancelledByUs: false, ...wanted });
    expect(message).to.match(text);
  }

  describe('answers', () => {
    it('with what the server said, and tells it the request id and the trace', async () => {
      const seen = Promise.withResolvers<Record<string, unknown>>();
      const { transport } = await serve(({ metadata }, answer) => {
        seen.resolve(metadata.getMap());
        answer(null, emptyPage);
      });
      expect(await call(transport)).to.deep.equal({ ok: true, response: emptyPage });
      expect(await seen.promise).to.include({
        'x-request-id': 'r1',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      });
    });

    it('tells the server a deadline that is later than its own, so that 4 is never an echo of it', async () => {
      const seen = Promise.withResolvers<number>();
      const { transport } = await serve((call_, answer) => {
        seen.resolve(Number(call_.getDeadline()));
        answer(null, emptyPage);
      });
      const ownDeadline = Date.now() + 10_000;
      await call(transport);
      expect(await seen.promise).to.be.greaterThan(ownDeadline);
    });
  });

  describe('a status that the server made', () => {
    for (const [name, code] of Object.entries(Status).filter(([, code]) => code !== 0)) {
      it(`${name} is the server's`, async () => {
        const { transport } = await serve((_call, answer) => answer({ code, details: 'no-hay: Nothing' }));
        expectFailure(await call(transport), 'server', { code: name, sent: true }, /^no-hay: Nothing$/);
      });
    }

    for (const name of ['NOT_FOUND', 'UNAVAILABLE'] as const) {
      it(`${name} after response headers is the server's`, async () => {
        const { transport } = await serve((call_, answer) => {
          call_.sendMetadata(new Metadata());
          answer({ code: Status[name], details: 'no' });
        });
        expectFailure(await call(transport), 'server', { code: name, sent: true }, /^no$/);
      });
    }

    it("a text that grpc-js uses is the server's, when the server says it", async () => {
      const { transport } = await serve((_call, answer) =>
        answer({ code: Status.INTERNAL, details: 'Received RST_STREAM with code 2' }),
      );
      expectFailure(
        await call(transport),
        'server',
        { code: 'INTERNAL', sent: true },
        /^Received RST_STREAM/,
      );
    });

    for (const status of ['99', 'abc']) {
      it(`grpc-status ${status} is UNKNOWN`, async () => {
        const transport = await serveHttp2((stream) =>
          stream.respond(
            { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status },
            { endStream: true },
          ),
        );
        expectFailure(await call(transport), 'server', { code: 'UNKNOWN', sent: true }, /^$/);
      });
    }

    it("a method that it does not have is the server's UNIMPLEMENTED", async () => {
      const { transport } = await serve(() => undefined);
      const outcome = await transport.unary(
        { ...listarArchivos, fullName: 'archivos.v1.ListadoService/Nada' },
        folder(),
        options(),
      );
      expectFailure(outcome, 'server', { code: 'UNIMPLEMENTED', sent: true }, /Nada/);
    });
  });

  describe('a connection that never was', () => {
    it('refused', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      expectFailure(
        await call(transportTo(`127.0.0.1:${port}`)),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /ECONNREFUSED/,
      );
    });

    it('accepted and silent: the deadline, never sent', async () => {
      const transport = await serveTcp(createServer());
      const outcome = await call(transport, { deadlineMs: 100 });
      expectFailure(outcome, 'client', { code: 'DEADLINE_EXCEEDED', sent: false }, /^No answer in 100 ms$/);
    });

    it('accepted and closed', async () => {
      const transport = await serveTcp(createServer((socket) => socket.destroy()));
      expectFailure(
        await call(transport),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /^No connection established/,
      );
    });

    it('a server that speaks HTTP/1', async () => {
      const transport = await serveTcp(createHttpServer((_request, response) => response.end('<html>')));
      expectFailure(
        await call(transport),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /^No connection established/,
      );
    });

    it('a peer that answers with a TLS alert', async () => {
      const alert = Buffer.from([21, 3, 3, 0, 2, 2, 10]);
      const transport = await serveTcp(createServer((socket) => socket.end(alert)));
      expectFailure(
        await call(transport),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /^No connection established/,
      );
    });

    it('a name that nobody has', async () => {
      const outcome = await call(transportTo('nadie.invalid:5001'));
      expectFailure(outcome, 'client', { code: 'UNAVAILABLE', sent: false }, /^Name resolution failed/);
    });

    it('a channel that is closed, before or while a call waits for its connection', async () => {
      const transport = await serveTcp(createServer());
      const waiting = call(transport);
      transport.close();
      const wanted = { code: 'UNAVAILABLE', sent: false };
      expectFailure(
        await waiting,
        'client',
        wanted,
        /^(Channel closed before call started|No connection established)/,
      );
      expectFailure(await call(transport), 'client', wanted, /^The channel is closed$/);
    });
  });

  describe('a call that was cut', () => {
    it('by the deadline: sent', async () => {
      const { transport } = await serve(() => undefined);
      const outcome = await call(transport, { deadlineMs: 100 });
      expectFailure(outcome, 'client', { code: 'DEADLINE_EXCEEDED', sent: true }, /^No answer in 100 ms$/);
    });

    it('by the deadline, after the response headers', async () => {
      const { transport } = await serve((call_) => call_.sendMetadata(new Metadata()));
      const outcome = await call(transport, { deadlineMs: 100 });
      expectFailure(outcome, 'client', { code: 'DEADLINE_EXCEEDED', sent: true }, /^No answer in 100 ms$/);
    });

    for (const headers of [false, true]) {
      it(`by the server's forced shutdown${headers ? ', after the response headers' : ''}: CANCELLED`, async () => {
        const begun = Promise.withResolvers<void>();
        const { server, transport } = await serve((call_) => {
          if (headers) call_.sendMetadata(new Metadata());
          begun.resolve();
        });
        const outcome = call(transport);
        await begun.promise;
        server.forceShutdown();
        expectFailure(await outcome, 'client', { code: 'CANCELLED', sent: true }, /^Call cancelled$/);
      });
    }

    it("not by the server's graceful shutdown", async () => {
      const begun = Promise.withResolvers<() => void>();
      const { server, transport } = await serve((_call, answer) =>
        begun.resolve(() => answer(null, emptyPage)),
      );
      const outcome = call(transport);
      const answer = await begun.promise;
      const down = new Promise((resolve) => server.tryShutdown(resolve));
      answer();
      expect((await outcome).ok).to.equal(true);
      await down;
    });

    it('not by closing the channel', async () => {
      const begun = Promise.withResolvers<() => void>();
      const { transport } = await serve((_call, answer) => begun.resolve(() => answer(null, emptyPage)));
      const outcome = call(transport);
      const answer = await begun.promise;
      transport.close();
      answer();
      expect((await outcome).ok).to.equal(true);
    });

    it('by a connection that breaks', async () => {
      const transport = await serveHttp2((stream) => stream.session?.socket.resetAndDestroy());
      const outcome = await call(transport);
      expectFailure(
        outcome,
        'client',
        { code: 'UNAVAILABLE', sent: true },
        /^(Connection dropped|read ECONNRESET)$/,
      );
    });

    it('by GOAWAY with an error', async () => {
      const transport = await serveHttp2((stream) =>
        stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR),
      );
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'INTERNAL', sent: true }, /^Received RST_STREAM with code 2/);
    });

    it('not by GOAWAY without one', async () => {
      const transport = await serveHttp2((stream) => {
        stream.session?.goaway();
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
          { endStream: true },
        );
      });
      expectFailure(await call(transport), 'server', { code: 'NOT_FOUND', sent: true }, /^$/);
    });

    const resets: readonly [keyof typeof constants, string, boolean, RegExp][] = [
      ['NGHTTP2_NO_ERROR', 'INTERNAL', true, /^Received RST_STREAM with code 0/],
      ['NGHTTP2_PROTOCOL_ERROR', 'INTERNAL', true, /^Received RST_STREAM with code 1/],
      ['NGHTTP2_INTERNAL_ERROR', 'INTERNAL', true, /^Received RST_STREAM with code 2/],
      ['NGHTTP2_REFUSED_STREAM', 'UNAVAILABLE', false, /^Stream refused by server$/],
      ['NGHTTP2_CANCEL', 'CANCELLED', true, /^Call cancelled$/],
      ['NGHTTP2_ENHANCE_YOUR_CALM', 'RESOURCE_EXHAUSTED', true, /^Bandwidth exhausted/],
      ['NGHTTP2_INADEQUATE_SECURITY', 'PERMISSION_DENIED', true, /^Protocol not secure enough$/],
    ];
    for (const [reset, code, sent, text] of resets) {
      it(`by RST_STREAM with ${reset}`, async () => {
        const transport = await serveHttp2((stream) => stream.close(constants[reset] as number));
        expectFailure(await call(transport), 'client', { code, sent }, text);
      });
    }
  });

  describe('a stream that was refused', () => {
    it('is tried once more, because nothing was done for it', async () => {
      let refused = false;
      const transport = await serveHttp2((stream) => {
        if (!refused) {
          refused = true;
          return stream.close(constants.NGHTTP2_REFUSED_STREAM);
        }
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' },
          { endStream: true },
        );
      });
      expectFailure(await call(transport), 'server', { code: 'NOT_FOUND', sent: true }, /^$/);
    });
  });

  describe("an answer that is not gRPC is an intermediary's", () => {
    const statuses: readonly [number, string][] = [
      [200, 'RESOURCE_EXHAUSTED'],
      [400, 'INTERNAL'],
      [401, 'UNAUTHENTICATED'],
      [403, 'PERMISSION_DENIED'],
      [404, 'UNIMPLEMENTED'],
      [429, 'UNAVAILABLE'],
      [500, 'UNKNOWN'],
      [502, 'UNAVAILABLE'],
      [503, 'UNAVAILABLE'],
      [504, 'UNAVAILABLE'],
    ];
    for (const [status, code] of statuses) {
      it(`HTML with ${status}`, async () => {
        const transport = await serveHttp2((stream) => {
          stream.respond({ ':status': status, 'content-type': 'text/html' });
          stream.end('<html>not here</html>');
        });
        expectFailure(await call(transport), 'intermediary', { code, sent: true }, /^Received /);
      });
    }

    it('nothing but a 404', async () => {
      const transport = await serveHttp2((stream) => stream.respond({ ':status': 404 }, { endStream: true }));
      expectFailure(await call(transport), 'intermediary', { code: 'UNIMPLEMENTED', sent: true }, /404$/);
    });

    it('gRPC headers without a status', async () => {
      const transport = await serveHttp2((stream) =>
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { endStream: true }),
      );
      expectFailure(await call(transport), 'intermediary', { code: 'UNKNOWN', sent: true }, /200$/);
    });
  });

  describe('what the gateway cannot read or write', () => {
    it('an answer that is too large', async () => {
      const siguiente = 'x'.repeat(65 * 1024 * 1024);
      const { transport } = await serve((_call, answer) => answer(null, { ...emptyPage, siguiente }));
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'RESOURCE_EXHAUSTED', sent: true }, /larger than max/);
    });

    it('an answer that is no such message', async () => {
      const transport = await serveHttp2((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]));
      });
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'INTERNAL', sent: true }, /^The response cannot be decoded/);
    });

    it('OK without a message', async () => {
      const transport = await serveHttp2((stream) =>
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' },
          { endStream: true },
        ),
      );
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'UNIMPLEMENTED', sent: true }, /^No message received$/);
    });

    it('a request that cannot be encoded, or a request id that is no header value', async () => {
      const { transport } = await serve(() => undefined);
      const wanted = { code: 'INTERNAL', sent: false };
      const text = /^The request cannot be encoded/;
      const refusing = {
        ...listarArchivos.request,
        toBinary: () => {
          throw new TypeError('no such message');
        },
      };
      const method = { ...listarArchivos, request: refusing };
      expectFailure(await transport.unary(method, folder(), options()), 'client', wanted, text);
      expectFailure(await call(transport, { requestId: 'ñ\n' }), 'client', wanted, text);
    });
  });

  describe('a caller that went away', () => {
    it('before the call: nothing is sent', async () => {
      let called = false;
      const { transport } = await serve(() => {
        called = true;
      });
      const outcome = await call(transport, { signal: AbortSignal.abort() });
      expect(failureOf(outcome)).to.include({ code: 'CANCELLED', sent: false, cancelledByUs: true });
      expect(called).to.equal(false);
    });

    it('in mid-call: the server is told', async () => {
      const caller = new AbortController();
      const told = Promise.withResolvers<void>();
      const { transport } = await serve((call_) => {
        call_.on('cancelled', told.resolve);
        caller.abort();
      });
      const outcome = await call(transport, { signal: caller.signal });
      expect(failureOf(outcome)).to.include({ code: 'CANCELLED', sent: true, cancelledByUs: true });
      await told.promise;
    });

    it('at the very deadline: whichever came first names it, and it is settled once', async () => {
      const { transport } = await serve(() => undefined);
      const outcome = failureOf(await call(transport, { deadlineMs: 30, signal: AbortSignal.timeout(30) }));
      expect(outcome.code).to.be.oneOf(['CANCELLED', 'DEADLINE_EXCEEDED']);
      if (outcome.code === 'CANCELLED') expect(outcome.cancelledByUs).to.equal(true);
    });
  });
});
