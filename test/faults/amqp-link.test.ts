import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { type Link, type LinkOptions, openLink } from '../../runtime/amqp/link.ts';
import { silent, uniqueName } from '../support/clients/amqp-requester.ts';
import { until } from '../support/processes/eventually.ts';
import { type Rabbit, sharedRabbit } from '../support/servers/rabbitmq.ts';
import { startTcpProxy } from '../support/servers/tcp-proxy.ts';

describe('A connection to RabbitMQ', () => {
  const links: Link[] = [];

  function open(url: string, more: Partial<LinkOptions> = {}): Link {
    const link = openLink({ url, name: 'archivero test link', log: silent, setup: async () => {}, ...more });
    links.push(link);
    return link;
  }
  const ready = (link: Link): Promise<void> => until(link, () => link.state.kind === 'ready');
  const failed = (link: Link, text: string): Promise<void> =>
    until(link, () => link.state.kind === 'connecting' && (link.state.failure ?? '').includes(text));

  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.stop()));
  });

  describe('with a broker', () => {
    let rabbit: Rabbit;
    let through: Awaited<ReturnType<typeof startTcpProxy>>;
    let url: string;

    beforeEach(async () => {
      rabbit = await sharedRabbit();
      through = await startTcpProxy(rabbit.port);
      url = `amqp://guest:guest@127.0.0.1:${through.port}?heartbeat=1`;
    });

    afterEach(async () => {
      await Promise.all(links.splice(0).map((link) => link.stop()));
      await through.stop();
    });

    it('runs its setup once per connection', async () => {
      let setups = 0;
      const link = open(url, {
        setup: async (session) => {
          setups += 1;
          await session.openChannel();
          if (setups === 2) session.drop(new Error('Refused by the test'));
        },
      });
      await ready(link);
      expect(setups).to.equal(1);
      await rabbit.ctl('close_all_connections', 'prueba');
      await until(link, () => link.state.kind === 'connecting');
      await ready(link);
      expect(setups).to.equal(3);
    });

    it('shows its name in the list of connections', async () => {
      await ready(open(url));
      const printed = await rabbit.ctl('list_connections', 'client_properties');
      expect(printed).to.contain('archivero test link');
    });

    it('reconnects when the broker closes a channel', async () => {
      let setups = 0;
      const link = open(url, {
        setup: async (session) => {
          setups += 1;
          const channel = await session.openChannel();
          if (setups === 1) setImmediate(() => void channel.checkQueue(uniqueName()).catch(() => {}));
        },
      });
      await ready(link);
      await failed(link, 'NOT_FOUND');
      await ready(link);
      expect(setups).to.equal(2);
    });

    it('reconnects when its connection ends during the setup', async () => {
      let setups = 0;
      const link = open(url, {
        setup: async (session) => {
          setups += 1;
          if (setups > 1) return;
          setImmediate(() => session.drop(new Error('Dropped')));
          await new Promise(() => {});
        },
      });
      await ready(link);
      expect(setups).to.equal(2);
    });

    // The bytes of a handshake and a setup, about 700.
    for (const kind of ['cut', 'freeze'] as const) {
      it(`reconnects when a connection is ${kind === 'cut' ? 'cut' : 'frozen'} at any point of handshake or setup`, async () => {
        const queue = uniqueName();
        const points = Array.from(
          { length: kind === 'cut' ? 60 : 30 },
          (_, n) => n * (kind === 'cut' ? 12 : 24),
        );
        await Promise.all(
          points.map(async (bytes) => {
            const proxy = await startTcpProxy(rabbit.port);
            proxy.fault = { kind, bytes };
            const link = open(`amqp://guest:guest@127.0.0.1:${proxy.port}?heartbeat=1`, {
              handshakeTimeoutMs: 1_000,
              setup: async (session) => {
                const channel = await session.openChannel();
                await channel.assertQueue(queue, { exclusive: false, autoDelete: false });
                await session.openConfirmChannel();
              },
            });
            await until(link, () => link.state.kind === 'ready' || proxy.connections > 0);
            proxy.fault = undefined;
            await until(link, () => link.state.kind === 'ready' && proxy.connections > 1);
            await link.stop();
            await proxy.stop();
          }),
        );
      });
    }

    it('stops at once while the broker is frozen', async () => {
      through.fault = { kind: 'freeze', bytes: 2_000 };
      const link = open(url);
      await ready(link);
      rabbit.pause();
      try {
        await Promise.all([link.stop(), link.stop()]);
      } finally {
        rabbit.resume();
      }
      expect(link.state.kind).to.equal('stopped');
    });

    it('logs wrong credentials once and without the password, and connects when they become valid', async () => {
      const user = uniqueName();
      const lines: string[] = [];
      const log = pino({}, { write: (line: string) => void lines.push(line) });
      const link = open(`amqp://${user}:secreto-total@127.0.0.1:${rabbit.port}`, {
        log,
        remindAfterMs: 3_600_000,
      });
      await failed(link, 'ACCESS_REFUSED');
      await rabbit.ctl('add_user', user, 'secreto-total');
      await rabbit.ctl('set_permissions', user, '.*', '.*', '.*');
      await ready(link);
      await link.stop();
      await rabbit.ctl('delete_user', user);
      const text = lines.join('');
      expect(text).not.to.contain('secreto');
      expect(text.match(/ACCESS_REFUSED/g)).to.have.length(1);
    });
  });

  describe('with a server that is not a broker', () => {
    let server: Server;
    let url: string;
    let onSocket: (socket: Socket) => void;
    const sockets = new Set<Socket>();

    beforeEach(async () => {
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        onSocket(socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      url = `amqp://guest:guest@127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    });

    afterEach(async () => {
      await Promise.all(links.splice(0).map((link) => link.stop()));
      for (const socket of sockets) socket.destroy();
      server.close();
    });

    it('gives up a handshake with a silent server after its time-out', async () => {
      onSocket = () => {};
      const link = open(url, { handshakeTimeoutMs: 100 });
      await failed(link, 'The handshake took more than 100 ms');
    });

    it('gives up a handshake with a server that sends single bytes after its time-out', async () => {
      onSocket = (socket) => {
        const timer = setInterval(() => socket.write('\u0001'), 10);
        socket.on('close', () => clearInterval(timer));
      };
      const link = open(url, { handshakeTimeoutMs: 100 });
      await until(link, () => link.state.kind === 'connecting' && link.state.failure !== undefined);
    });

    it('reports a failure when the server speaks another protocol', async () => {
      onSocket = (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      const link = open(url);
      await until(link, () => link.state.kind === 'connecting' && link.state.failure !== undefined);
    });

    it('connects again each time the server closes the connection', async () => {
      let tries = 0;
      const third = Promise.withResolvers<void>();
      onSocket = (socket) => {
        tries += 1;
        socket.destroy();
        if (tries === 3) third.resolve();
      };
      open(url);
      await third.promise;
    });

    it('stops during a handshake when stop is called twice', async () => {
      const reached = Promise.withResolvers<void>();
      onSocket = () => reached.resolve();
      const link = open(url, { handshakeTimeoutMs: 600_000 });
      await reached.promise;
      await Promise.all([link.stop(), link.stop()]);
      expect(link.state.kind).to.equal('stopped');
    });

    it('stops before its first handshake begins', async () => {
      onSocket = () => {};
      const link = open(url, { handshakeTimeoutMs: 600_000 });
      await link.stop();
      expect(link.state.kind).to.equal('stopped');
    });

    it('stops between two attempts to connect', async () => {
      server.close();
      const link = open(url);
      await failed(link, 'ECONNREFUSED');
      await link.stop();
      expect(link.state.kind).to.equal('stopped');
    });
  });
});
