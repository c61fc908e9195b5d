import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Metadata } from '@grpc/grpc-js';
import { expect } from 'chai';
import { createGrpcTransport, type GrpcTransport } from '../../../gateway/calls/grpc-transport.ts';
import type { CallOptions, GrpcFailure, TransportResult } from '../../../gateway/calls/transport.ts';
import { Status, statusName } from '../../../runtime/status.ts';
import {
  emptyPage,
  type ListadoHandler,
  listarArchivos,
  listRequest,
  startHttp2,
  startListado,
} from '../../support/services/listado-server.ts';

/** Checks every situation of `docs/classifier.md` against a real server. */
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

  /** Starts a TCP server that does not speak gRPC; returns a transport to it. */
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
    transport.unary(listarArchivos, listRequest(), options(more));

  function failureOf(outcome: TransportResult<unknown>): Omit<GrpcFailure, 'code'> & { code: string } {
    if (outcome.ok) throw new Error('it was answered');
    return { ...outcome.failure, code: statusName(outcome.failure.code) };
  }

  function expectFailure(
    outcome: TransportResult<unknown>,
    origin: GrpcFailure['origin'],
    wanted: object,
    text: RegExp,
  ) {
    const { message, ...rest } = failureOf(outcome);
    expect(rest).to.deep.equal({ origin, cancelledByUs: false, ...wanted });
    expect(message).to.match(text);
  }

  describe('with an answer', () => {
    it("returns the server's message, and sends the request id and the trace", async () => {
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

    it("sends a later deadline than its own, so that DEADLINE_EXCEEDED is never the server's echo", async () => {
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

  describe('with a status of the server', () => {
    for (const [name, code] of Object.entries(Status).filter(([, code]) => code !== 0)) {
      it(`reports ${name} as the server's`, async () => {
        const { transport } = await serve((_call, answer) => answer({ code, details: 'no-hay: Nothing' }));
        expectFailure(await call(transport), 'server', { code: name, sent: true }, /^no-hay: Nothing$/);
      });
    }

    for (const name of ['NOT_FOUND', 'UNAVAILABLE'] as const) {
      it(`reports ${name} after response headers as the server's`, async () => {
        const { transport } = await serve((call_, answer) => {
          call_.sendMetadata(new Metadata());
          answer({ code: Status[name], details: 'no' });
        });
        expectFailure(await call(transport), 'server', { code: name, sent: true }, /^no$/);
      });
    }

    it("reports a text of grpc-js as the server's when the server sends it", async () => {
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
      it(`reports grpc-status ${status} as UNKNOWN`, async () => {
        const transport = await serveHttp2((stream) =>
          stream.respond(
            { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status },
            { endStream: true },
          ),
        );
        expectFailure(await call(transport), 'server', { code: 'UNKNOWN', sent: true }, /^$/);
      });
    }

    it("reports UNIMPLEMENTED as the server's when it does not have the method", async () => {
      const { transport } = await serve(() => undefined);
      const outcome = await transport.unary(
        { ...listarArchivos, fullName: 'archivos.v1.ListadoService/Nada' },
        listRequest(),
        options(),
      );
      expectFailure(outcome, 'server', { code: 'UNIMPLEMENTED', sent: true }, /Nada/);
    });
  });

  describe('without a connection', () => {
    it('reports UNAVAILABLE, not sent, when the port is closed', async () => {
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

    it('reports DEADLINE_EXCEEDED, not sent, when the peer is silent', async () => {
      const transport = await serveTcp(createServer());
      const outcome = await call(transport, { deadlineMs: 100 });
      expectFailure(outcome, 'client', { code: 'DEADLINE_EXCEEDED', sent: false }, /^No answer in 100 ms$/);
    });

    it('reports UNAVAILABLE, not sent, when the peer closes at once', async () => {
      const transport = await serveTcp(createServer((socket) => socket.destroy()));
      expectFailure(
        await call(transport),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /^No connection established/,
      );
    });

    it('reports UNAVAILABLE, not sent, when the peer speaks HTTP/1', async () => {
      const transport = await serveTcp(createHttpServer((_request, response) => response.end('<html>')));
      expectFailure(
        await call(transport),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /^No connection established/,
      );
    });

    it('reports UNAVAILABLE, not sent, when the peer answers with a TLS alert', async () => {
      const alert = Buffer.from([21, 3, 3, 0, 2, 2, 10]);
      const transport = await serveTcp(createServer((socket) => socket.end(alert)));
      expectFailure(
        await call(transport),
        'client',
        { code: 'UNAVAILABLE', sent: false },
        /^No connection established/,
      );
    });

    it('reports UNAVAILABLE, not sent, when the name does not resolve', async () => {
      const outcome = await call(transportTo('nadie.invalid:5001'));
      expectFailure(outcome, 'client', { code: 'UNAVAILABLE', sent: false }, /^Name resolution failed/);
    });

    it('reports UNAVAILABLE, not sent, when its channel is closed before or while a call waits', async () => {
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

  describe('during a call', () => {
    it('reports DEADLINE_EXCEEDED, sent, at the deadline', async () => {
      const { transport } = await serve(() => undefined);
      const outcome = await call(transport, { deadlineMs: 100 });
      expectFailure(outcome, 'client', { code: 'DEADLINE_EXCEEDED', sent: true }, /^No answer in 100 ms$/);
    });

    it('reports DEADLINE_EXCEEDED, sent, at a deadline after the response headers', async () => {
      const { transport } = await serve((call_) => call_.sendMetadata(new Metadata()));
      const outcome = await call(transport, { deadlineMs: 100 });
      expectFailure(outcome, 'client', { code: 'DEADLINE_EXCEEDED', sent: true }, /^No answer in 100 ms$/);
    });

    for (const headers of [false, true]) {
      it(`reports CANCELLED at the server's forced shutdown${headers ? ', after the response headers' : ''}`, async () => {
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

    it("returns the answer through the server's graceful shutdown", async () => {
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

    it('returns the answer although the channel is closed', async () => {
      const begun = Promise.withResolvers<() => void>();
      const { transport } = await serve((_call, answer) => begun.resolve(() => answer(null, emptyPage)));
      const outcome = call(transport);
      const answer = await begun.promise;
      transport.close();
      answer();
      expect((await outcome).ok).to.equal(true);
    });

    it('reports UNAVAILABLE, sent, when the connection breaks', async () => {
      const transport = await serveHttp2((stream) => stream.session?.socket.resetAndDestroy());
      const outcome = await call(transport);
      expectFailure(
        outcome,
        'client',
        { code: 'UNAVAILABLE', sent: true },
        /^(Connection dropped|read ECONNRESET)$/,
      );
    });

    it('reports INTERNAL after GOAWAY with an error', async () => {
      const transport = await serveHttp2((stream) =>
        stream.session?.goaway(constants.NGHTTP2_INTERNAL_ERROR),
      );
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'INTERNAL', sent: true }, /^Received RST_STREAM with code 2/);
    });

    it('returns the status through GOAWAY without an error', async () => {
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
      it(`reports ${code} after RST_STREAM with ${reset}`, async () => {
        const transport = await serveHttp2((stream) => stream.close(constants[reset] as number));
        expectFailure(await call(transport), 'client', { code, sent }, text);
      });
    }
  });

  describe('with a refused stream', () => {
    it('tries once more, because the server did not process the stream', async () => {
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

  describe('with an answer that is not gRPC', () => {
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
      it(`reports ${code} as an intermediary's for HTML with ${status}`, async () => {
        const transport = await serveHttp2((stream) => {
          stream.respond({ ':status': status, 'content-type': 'text/html' });
          stream.end('<html>not here</html>');
        });
        expectFailure(await call(transport), 'intermediary', { code, sent: true }, /^Received /);
      });
    }

    it("reports UNIMPLEMENTED as an intermediary's for a bare 404", async () => {
      const transport = await serveHttp2((stream) => stream.respond({ ':status': 404 }, { endStream: true }));
      expectFailure(await call(transport), 'intermediary', { code: 'UNIMPLEMENTED', sent: true }, /404$/);
    });

    it("reports UNKNOWN as an intermediary's for gRPC headers without a status", async () => {
      const transport = await serveHttp2((stream) =>
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { endStream: true }),
      );
      expectFailure(await call(transport), 'intermediary', { code: 'UNKNOWN', sent: true }, /200$/);
    });
  });

  describe('with a message that it cannot read or write', () => {
    it('reports RESOURCE_EXHAUSTED when the answer is too large', async () => {
      const siguiente = 'x'.repeat(65 * 1024 * 1024);
      const { transport } = await serve((_call, answer) => answer(null, { ...emptyPage, siguiente }));
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'RESOURCE_EXHAUSTED', sent: true }, /larger than max/);
    });

    it('reports INTERNAL when the answer cannot be decoded', async () => {
      const transport = await serveHttp2((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]));
      });
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'INTERNAL', sent: true }, /^The response cannot be decoded/);
    });

    it('reports UNIMPLEMENTED when OK comes without a message', async () => {
      const transport = await serveHttp2((stream) =>
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' },
          { endStream: true },
        ),
      );
      const outcome = await call(transport);
      expectFailure(outcome, 'client', { code: 'UNIMPLEMENTED', sent: true }, /^No message received$/);
    });

    it('reports INTERNAL, not sent, when the request or its id cannot be encoded', async () => {
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
      expectFailure(await transport.unary(method, listRequest(), options()), 'client', wanted, text);
      expectFailure(await call(transport, { requestId: 'ñ\n' }), 'client', wanted, text);
    });
  });

  describe('with an aborted signal', () => {
    it('sends nothing when the signal is aborted before the call', async () => {
      let called = false;
      const { transport } = await serve(() => {
        called = true;
      });
      const outcome = await call(transport, { signal: AbortSignal.abort() });
      expect(failureOf(outcome)).to.include({ code: 'CANCELLED', sent: false, cancelledByUs: true });
      expect(called).to.equal(false);
    });

    it('cancels the call at the server when the signal is aborted during it', async () => {
      const caller = new AbortController();
      const cancelled = Promise.withResolvers<void>();
      const { transport } = await serve((call_) => {
        call_.on('cancelled', cancelled.resolve);
        caller.abort();
      });
      const outcome = await call(transport, { signal: caller.signal });
      expect(failureOf(outcome)).to.include({ code: 'CANCELLED', sent: true, cancelledByUs: true });
      await cancelled.promise;
    });

    it('settles once when the signal is aborted at the deadline', async () => {
      const { transport } = await serve(() => undefined);
      const outcome = failureOf(await call(transport, { deadlineMs: 30, signal: AbortSignal.timeout(30) }));
      expect(outcome.code).to.be.oneOf(['CANCELLED', 'DEADLINE_EXCEEDED']);
      if (outcome.code === 'CANCELLED') expect(outcome.cancelledByUs).to.equal(true);
    });
  });
});
