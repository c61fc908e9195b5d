import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createFrameReader, type Frame } from './amqp-frames.ts';
import { pipe, type Rules } from './pipe.ts';

/** `out`: from the one that dialled; `back`: from the one that was dialled. */
export type Way = 'out' | 'back';

/** How a link treats what it carries, on all of its connections, until it is told otherwise. */
export type Behaviour =
  | { readonly kind: 'pass' }
  /** Nothing arrives, in neither direction, not even the end of a connection; it arrives when the hole is closed. */
  | { readonly kind: 'black hole' }
  /** Everything arrives that much later. */
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'byte by byte' }
  /** Messages and methods of this kind never arrive: `basic.ack` on the way back is the broker's confirm. */
  | { readonly kind: 'without'; readonly method: string; readonly way: Way };

/** A single accident, at a frame that is known beforehand. */
export interface Strike {
  readonly way: Way;
  /** Without it every frame counts. */
  readonly method?: string;
  /** 1 is the next one. */
  readonly nth?: number;
  /** `hold before`: neither this frame nor what follows it in its direction is carried on, until it is released. */
  readonly action: 'hold before' | 'hold after' | 'cut inside';
}

export interface Struck {
  /** The frame has come. */
  readonly reached: Promise<void>;
  release(): void;
}

/** Stands between one process and the port of another on 127.0.0.1, and is the network that fails. */
export interface Link {
  readonly port: number;
  behave(behaviour: Behaviour): void;
  strike(strike: Strike): Struck;
  /** Forgets the strikes that have not come. */
  disarm(): void;
  /** RST to both ends of every connection. */
  reset(): void;
  /** The connections that there are end on one side, and the other is never told. */
  halfOpen(ends: 'dialler' | 'dialled'): void;
  stop(): Promise<void>;
}

interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Half-open: whatever the living side sends is lost. */
  deaf: boolean;
  /** One side died in the middle of something: what is still under way never was. */
  over: boolean;
}

interface Armed extends Required<Strike> {
  left: number;
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
  isReleased: boolean;
}

const anyFrame = '';
const whole = (bytes: Buffer): Frame[] => [{ bytes, method: undefined, belongsTo: undefined }];

/** `protocol` says where frames begin and end: AMQP's are understood, of others every chunk that is read is one. */
export async function openLink(target: number, protocol: 'amqp' | 'other'): Promise<Link> {
  const connections = new Set<Connection>();
  const armed = new Set<Armed>();
  let behaviour: Behaviour = { kind: 'pass' };
  let changed = Promise.withResolvers<void>();

  function match(frame: Frame, way: Way): Armed | undefined {
    for (const strike of armed) {
      if (strike.way !== way || (strike.method !== anyFrame && strike.method !== frame.method)) continue;
      strike.left -= 1;
      if (strike.left > 0) continue;
      armed.delete(strike);
      return strike;
    }
    return undefined;
  }

  async function hold(connection: Connection, strike: Armed): Promise<void> {
    strike.reached.resolve();
    const gone = [connection.client, connection.upstream].map((socket) =>
      socket.destroyed ? undefined : once(socket, 'close').catch(() => undefined),
    );
    await Promise.race([strike.released.promise, ...gone]);
    // Whoever sent it has died meanwhile: it had not got that far.
    if (!strike.isReleased) connection.over = true;
  }

  function rulesFor(connection: Connection, way: Way): Rules {
    const after = new WeakMap<Frame, Armed>();
    const open = async (): Promise<void> => {
      while (behaviour.kind === 'black hole') await changed.promise;
    };
    return {
      async admit(frame, arrivedAt) {
        await open();
        while (behaviour.kind === 'late') {
          const left = arrivedAt + behaviour.ms - performance.now();
          if (left <= 0) break;
          await Promise.race([delay(left), changed.promise]);
        }
        await open();
        if (connection.deaf || connection.over) return 'drop';
        const strike = match(frame, way);
        if (strike?.action === 'hold before') {
          await hold(connection, strike);
          if (connection.over) return 'drop';
        }
        if (strike?.action === 'hold after') after.set(frame, strike);
        if (strike?.action === 'cut inside') {
          strike.reached.resolve();
          return 'cut';
        }
        if (behaviour.kind === 'without' && behaviour.way === way && behaviour.method === frame.belongsTo)
          return 'drop';
        return behaviour.kind === 'byte by byte' ? 'slow' : 'pass';
      },
      async carried(frame) {
        const strike = after.get(frame);
        if (strike !== undefined) await hold(connection, strike);
      },
      async admitEnd() {
        await open();
        // Whoever lives on is told by nobody; its own end, or that of the link, frees the sockets.
        if (connection.deaf) await new Promise(() => {});
      },
    };
  }

  const server = createServer((client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    client.setNoDelay();
    const connection: Connection = { client, upstream, deaf: false, over: false };
    connections.add(connection);
    const forget = (): void => {
      if (client.destroyed && upstream.destroyed) connections.delete(connection);
    };
    client.on('close', forget);
    upstream.on('close', forget);
    const reader = (): ((chunk: Buffer) => Frame[]) => (protocol === 'amqp' ? createFrameReader() : whole);
    pipe(client, upstream, reader(), rulesFor(connection, 'out'));
    pipe(upstream, client, reader(), rulesFor(connection, 'back'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const behave = (next: Behaviour): void => {
    behaviour = next;
    changed.resolve();
    changed = Promise.withResolvers();
  };

  return {
    port: (server.address() as AddressInfo).port,
    behave,
    strike({ way, method = anyFrame, nth = 1, action }) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const strike: Armed = { way, method, nth, action, left: nth, reached, released, isReleased: false };
      armed.add(strike);
      return {
        reached: reached.promise,
        release() {
          strike.isReleased = true;
          released.resolve();
        },
      };
    },
    disarm: () => armed.clear(),
    reset() {
      for (const { client, upstream } of connections) {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    },
    halfOpen(ends) {
      for (const connection of connections) {
        connection.deaf = true;
        (ends === 'dialler' ? connection.client : connection.upstream).destroy();
      }
    },
    async stop() {
      server.close();
      for (const { client, upstream } of connections) {
        client.destroy();
        upstream.destroy();
      }
      behave({ kind: 'pass' });
      for (const strike of armed) strike.released.resolve();
      await once(server, 'close');
    },
  };
}
