import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createFrameReader, type Frame } from './amqp-frames.ts';
import { pipe, type Rules } from './pipe.ts';

/** `out`: from the process that connected; `back`: from its target. */
export type Direction = 'out' | 'back';

/** Treatment of all data on all connections of a proxy, until it is set again. */
export type Behaviour =
  | { readonly kind: 'pass' }
  /** Holds back all data and ends of connections, in both directions, until the behaviour changes. */
  | { readonly kind: 'black hole' }
  /** Delays all data. */
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'byte by byte' }
  /** Drops the frames of one method, with their content: `basic.ack` back is the broker's confirm. */
  | { readonly kind: 'without'; readonly method: string; readonly direction: Direction };

/** A fault injected at one frame. */
export interface FrameFault {
  readonly direction: Direction;
  /** Counts only frames of this method; by default all frames. */
  readonly method?: string;
  /** Position of the frame among those counted from now; 1 is the next one. */
  readonly nth?: number;
  /** `hold before` holds this frame and all later ones of its direction until `release`; `hold after` only those. */
  readonly action: 'hold before' | 'hold after' | 'cut inside';
}

export interface ArmedFault {
  /** Resolves when the frame arrives. */
  readonly reached: Promise<void>;
  release(): void;
}

/** A TCP proxy between a process and the port of another on 127.0.0.1, which injects network faults. */
export interface FaultProxy {
  readonly port: number;
  behave(behaviour: Behaviour): void;
  arm(fault: FrameFault): ArmedFault;
  /** Cancels the armed faults whose frames have not arrived. */
  disarm(): void;
  /** Sends RST to both ends of every connection. */
  reset(): void;
  /** Ends all connections on one side only, so that the other side does not notice. */
  halfOpen(ends: 'dialler' | 'dialled'): void;
  stop(): Promise<void>;
}

interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Half-open: all data of the open side is lost. */
  deaf: boolean;
  /** A process died while a frame was held: all undelivered data is dropped. */
  dead: boolean;
}

interface PendingFault extends Required<FrameFault> {
  left: number;
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
  isReleased: boolean;
}

const anyFrame = '';
const whole = (bytes: Buffer): Frame[] => [{ bytes, method: undefined, belongsTo: undefined }];

/** Starts a proxy before a port. AMQP is split into its frames; of another protocol each chunk read is a frame. */
export async function startFaultProxy(target: number, protocol: 'amqp' | 'other'): Promise<FaultProxy> {
  const connections = new Set<Connection>();
  const armed = new Set<PendingFault>();
  let behaviour: Behaviour = { kind: 'pass' };
  let changed = Promise.withResolvers<void>();

  function match(frame: Frame, direction: Direction): PendingFault | undefined {
    for (const fault of armed) {
      if (fault.direction !== direction) continue;
      if (fault.method !== anyFrame && fault.method !== frame.method) continue;
      fault.left -= 1;
      if (fault.left > 0) continue;
      armed.delete(fault);
      return fault;
    }
    return undefined;
  }

  async function hold(connection: Connection, fault: PendingFault): Promise<void> {
    fault.reached.resolve();
    const closed = [connection.client, connection.upstream].map((socket) =>
      socket.destroyed ? undefined : once(socket, 'close').catch(() => undefined),
    );
    await Promise.race([fault.released.promise, ...closed]);
    // The sender died during the hold, so the frame counts as never sent.
    if (!fault.isReleased) connection.dead = true;
  }

  function rulesFor(connection: Connection, direction: Direction): Rules {
    const after = new WeakMap<Frame, PendingFault>();
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
        if (connection.deaf || connection.dead) return 'drop';
        const fault = match(frame, direction);
        if (fault?.action === 'hold before') {
          await hold(connection, fault);
          if (connection.dead) return 'drop';
        }
        if (fault?.action === 'hold after') after.set(frame, fault);
        if (fault?.action === 'cut inside') {
          fault.reached.resolve();
          return 'cut';
        }
        if (behaviour.kind === 'without' && behaviour.direction === direction) {
          if (behaviour.method === frame.belongsTo) return 'drop';
        }
        return behaviour.kind === 'byte by byte' ? 'slow' : 'pass';
      },
      async forwarded(frame) {
        const fault = after.get(frame);
        if (fault !== undefined) await hold(connection, fault);
      },
      async admitEnd() {
        await open();
        // The open side is not told; its own end, or the proxy's stop, frees the sockets.
        if (connection.deaf) await new Promise(() => {});
      },
    };
  }

  const server = createServer((client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
    client.setNoDelay();
    const connection: Connection = { client, upstream, deaf: false, dead: false };
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
    arm({ direction, method = anyFrame, nth = 1, action }) {
      const reached = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const fault: PendingFault = {
        direction,
        method,
        nth,
        action,
        left: nth,
        reached,
        released,
        isReleased: false,
      };
      armed.add(fault);
      return {
        reached: reached.promise,
        release() {
          fault.isReleased = true;
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
      for (const fault of armed) fault.released.resolve();
      await once(server, 'close');
    },
  };
}
