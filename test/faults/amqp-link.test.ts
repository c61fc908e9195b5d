import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { type Link, type LinkOptions, openLink } from '../../runtime/amqp/link.ts';
import { silent, uniqueName } from '../support/clients/amqp-asker.ts';
import { until } from '../support/processes/eventually.ts';
import { type Rabbit, sharedRabbit } from '../support/servers/rabbitmq.ts';
import { startTcpProxy } from '../support/servers/tcp-proxy.ts';

describe('A link to RabbitMQ', () => {
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

  describe('that has a broker', () => {
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

    it('is set up once for each connection', async () => {
      let setups = 0;
      const link = open(url, {
        setup: async (session) => {
          setups += 1;
          await session.openChannel();
          if (setups === 2) session.drop(new Error('Not this one'));
        },
      });
      await ready(link);
      expect(setups).to.equal(1);
      await rabbit.ctl('close_all_connections', 'prueba');
      await until(link, () => link.state.kind === 'connecting');
      await ready(link);
      expect(setups).to.equal(3);
    });

    it('has a name that people can see', async () => {
      await ready(open(url));
      const printed = await rabbit.ctl('list_connections', 'client_properties');
      expect(printed).to.contain('archivero test link');
    });

    it('is built anew when a channel is closed by the broker', async () => {
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

    it('outlives a setup that does not end', async () => {
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

    // From the first byte of the handshake to the last of a setup, some 700.
    for (const kind of ['cut', 'freeze'] as const) {
      it(`outlives a connection that was ${kind === 'cut' ? 'cut' : 'frozen'} at any point`, async () => {
        const queue = uniqueName();
        const points = Array.from(
          { length: kind === 'cut' ? 60 : 30 },
          (_, n) => n * (kind === 'cut' ? 12 : 24),
        );
        await Promise.all(
          points.map(async (bytes) => {
            const proxy = await startTcpProxy(rabbit.port);
            proxy.accident = { kind, bytes };
            const link = open(`amqp://guest:guest@127.0.0.1:${proxy.port}?heartbeat=1`, {
              handshakeTimeoutMs: 1_000,
              setup: async (session) => {
                const channel = await session.openChannel();
                await channel.assertQueue(queue, { exclusive: false, autoDelete: false });
                await session.openConfirmChannel();
              },
            });
            await until(link, () => link.state.kind === 'ready' || proxy.connections > 0);
            proxy.accident = undefined;
            await until(link, () => link.state.kind === 'ready' && proxy.connections > 1);
            await link.stop();
            await proxy.stop();
          }),
        );
      });
    }

    it('closes at once when the broker is frozen', async () => {
      through.accident = { kind: 'freeze', bytes: 2_000 };
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

    it('says that its credentials are wrong, once, without the password, and works when they are right', async () => {
      const user = uniqueName();
      const lines: string[] = [];
      const log = pino({}, { write: (line: string) => void lines.push(line) });
      const link = open(`amqp://${user}:secreto-total@127.0.0.1:${rabbit.port}`, { log });
      await failed(link, 'ACCESS-REFUSED');
      await rabbit.ctl('add_user', user, 'secreto-total');
      await rabbit.ctl('set_permissions', user, '.*', '.*', '.*');
      await ready(link);
      await rabbit.ctl('delete_user', user);
      const text = lines.join('');
      expect(text).not.to.contain('secreto');
      expect(text.match(/ACCESS-REFUSED/g)).to.have.length(1);
    });
  });

  describe('that has none', () => {
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

    it('does not wait for a peer that says nothing', async () => {
      onSocket = () => {};
      const link = open(url, { handshakeTimeoutMs: 100 });
      await failed(link, 'The handshake took more than 100 ms');
    });

    it('does not wait for a peer that only drips', async () => {
      onSocket = (socket) => {
        const timer = setInterval(() => socket.write('\u0001'), 10);
        socket.on('close', () => clearInterval(timer));
      };
      const link = open(url, { handshakeTimeoutMs: 100 });
      await until(link, () => link.state.kind === 'connecting' && link.state.failure !== undefined);
    });

    it('is not harmed by a peer that speaks something else', async () => {
      onSocket = (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      const link = open(url);
      await until(link, () => link.state.kind === 'connecting' && link.state.failure !== undefined);
    });

    it('goes on when a peer hangs up', async () => {
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

    it('stops in the middle of a handshake, twice', async () => {
      const reached = Promise.withResolvers<void>();
      onSocket = () => reached.resolve();
      const link = open(url, { handshakeTimeoutMs: 600_000 });
      await reached.promise;
      await Promise.all([link.stop(), link.stop()]);
      expect(link.state.kind).to.equal('stopped');
    });

    it('stops before it has begun', async () => {
      onSocket = () => {};
      const link = open(url, { handshakeTimeoutMs: 600_000 });
      await link.stop();
      expect(link.state.kind).to.equal('stopped');
    });

    it('stops between two attempts', async () => {
      server.close();
      const link = open(url);
      await failed(link, 'ECONNREFUSED');
      await link.stop();
      expect(link.state.kind).to.equal('stopped');
    });
  });
});
