import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

/** Fault of a connection, injected after `bytes` have come back from the target. */
export interface ConnectionFault {
  readonly bytes: number;
  /** `cut` destroys both sockets; `freeze` leaves them open and drops all data. */
  readonly kind: 'cut' | 'freeze';
}

export interface TcpProxy {
  readonly port: number;
  /** Number of connections so far. */
  readonly connections: number;
  /** Bytes that have come back from the target, over all connections. */
  readonly carried: number;
  /** Fault of new connections; undefined for none. */
  fault: ConnectionFault | undefined;
  /** Injects a fault into all open connections now. */
  injectNow(kind: ConnectionFault['kind']): void;
  stop(): Promise<void>;
}

/** Starts a proxy before a port of 127.0.0.1 that breaks connections at the point that a test sets. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const injectors = new Set<(kind: ConnectionFault['kind']) => void>();
  let connections = 0;
  let carried = 0;
  const server = createServer((client) => {
    connections += 1;
    let { fault } = proxy;
    const upstream = dial(target, '127.0.0.1');
    let seen = 0;
    const end = (): void => {
      injectors.delete(inject);
      client.destroy();
      upstream.destroy();
    };
    const inject = (kind: ConnectionFault['kind']): void => {
      fault = { kind, bytes: 0 };
      if (kind === 'cut') end();
    };
    injectors.add(inject);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    const left = (): number => (fault === undefined ? Number.POSITIVE_INFINITY : fault.bytes - seen);
    client.on('data', (chunk) => {
      if (left() > 0) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      const pass = chunk.subarray(0, Math.max(0, left()));
      seen += chunk.length;
      carried += pass.length;
      if (pass.length > 0) client.write(pass);
      if (left() > 0 || fault?.kind !== 'cut') return;
      // `end` delivers the data written so far before it closes.
      client.end();
      upstream.destroy();
    });
    if (fault?.kind === 'cut' && fault.bytes === 0) end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy: TcpProxy = {
    port,
    fault: undefined,
    injectNow: (kind) => {
      for (const inject of injectors) inject(kind);
    },
    get connections() {
      return connections;
    },
    get carried() {
      return carried;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return proxy;
}
