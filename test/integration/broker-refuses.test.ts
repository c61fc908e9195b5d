import { connect } from 'amqplib';
import { expect } from 'chai';
import { queueArguments, queuesOf, repliesQueue, requestsExchange } from '../../runtime/amqp/topology.ts';
import { readLedgerId } from '../../scripts/doctor/ledger-id.ts';
import { createQueue } from '../../scripts/start-queue.ts';
import { uniqueName } from '../support/clients/amqp-requester.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { accepted, answerAt } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { spawnProcess } from '../support/processes/processes.ts';
import { ownVhost, type SetUp, setUp } from '../support/processes/set-up.ts';
import { type Rabbit, sharedRabbit } from '../support/servers/rabbitmq.ts';

interface Salud {
  readonly estado: string;
  readonly rabbitmq: {
    readonly estado: string;
    readonly motivo?: string;
    readonly errores?: readonly { readonly servicio: string; readonly motivo: string }[];
  };
}

async function salud(it: SetUp): Promise<Salud> {
  return (await (await it.get('/salud')).json()) as Salud;
}

/** Runs `npm run doctor` and returns its text. */
async function doctor(url: string, ledger = 'sqlite:/nowhere/x.db'): Promise<string> {
  const proc = spawnProcess('scripts/doctor.ts', {
    NO_COLOR: '1',
    RABBITMQ_URL: url,
    LEDGER_URL: ledger,
  });
  await proc.exited;
  return proc.lines.map(({ msg }) => msg).join('\n');
}

/** Declares things in a virtual host as another program might. */
async function declareOtherwise(
  url: string,
  use: (
    channel: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['createChannel']>>,
  ) => Promise<unknown>,
): Promise<void> {
  const model = await connect(url);
  await use(await model.createChannel());
  await model.close();
}

describe('A RabbitMQ that refuses', () => {
  let rabbit: Rabbit;
  let url: string;

  beforeEach(async () => {
    rabbit = await sharedRabbit();
    ({ url } = await ownVhost(rabbit));
  });

  it('a virtual host is explained by the log, /salud and the doctor', async () => {
    const vhost = uniqueName();
    const missing = new URL(vhost, url).href;
    await using it = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: missing } });
    await it.processes
      .get('gateway')
      ?.waitFor(
        ({ msg, reason }) =>
          (msg ?? '').startsWith('no connection to RabbitMQ') &&
          String(reason).includes(`NOT_ALLOWED - vhost ${vhost}`),
      );
    await eventually(async () => (await salud(it)).rabbitmq.motivo !== undefined);
    const { estado, rabbitmq } = await salud(it);
    expect([estado, rabbitmq.estado]).to.deep.equal(['degradado', 'conectando']);
    expect(rabbitmq.motivo).to.include(`NOT_ALLOWED - vhost ${vhost} not found`);
    expect(await doctor(missing))
      .to.include(`does not let the user guest in: NOT_ALLOWED - vhost ${vhost} not found`)
      .and.include(`rabbitmqctl add_vhost ${vhost}`);
  });

  it('a virtual host is explained by npm start and npm run broker, which start no other', async () => {
    const missing = new URL(uniqueName(), url).href;
    const queue = createQueue(missing, true, () => undefined);
    await queue.start();
    expect(queue.status).to.include('refuses: NOT_ALLOWED - vhost ');
    const broker = spawnProcess('scripts/broker.ts', { RABBITMQ_URL: missing });
    expect((await broker.exited).code).to.equal(1);
    expect(broker.lines[0]?.msg).to.include('refuses: NOT_ALLOWED - vhost ');
  });

  it('the queues of one service leaves those of the others in use, and is named by the log, /salud and the doctor', async () => {
    const { work } = queuesOf('mserv2');
    await declareOtherwise(url, (channel) => channel.assertQueue(work, { durable: true }));
    await using it = await setUp({ env: { RABBITMQ_URL: url } });
    const isReason = (text: unknown): boolean =>
      /^PRECONDITION_FAILED - inequivalent arg .* for queue '(.*?)'/.exec(String(text))?.[1] === work;
    for (const name of ['gateway', 'mserv2'] as const)
      await it.processes.get(name)?.waitFor((line) => isReason(line['reason']));

    // mserv1 is reached by its queue alone.
    await it.end('mserv1', 'SIGTERM');
    await it.start('mserv1', { MSERV1_GRPC: 'off' });
    const listing = await accepted(it, '/listar_archivos', { prefer: 'respond-async' });
    const answer = await answerAt(it, listing);
    expect([answer.status, answer.headers.get('servido-por')]).to.deep.equal([200, 'cola']);
    await it.processes.get('mserv1')?.waitFor(({ transport }) => transport === 'rabbitmq');

    // mserv2 is called directly.
    const search = await accepted(it, '/buscar_archivos', { prefer: 'respond-async' });
    expect((await answerAt(it, search)).status).to.equal(200);

    const { estado, rabbitmq } = await salud(it);
    expect([estado, rabbitmq.estado]).to.deep.equal(['degradado', 'listo']);
    expect(rabbitmq.errores).to.have.length(1);
    expect(rabbitmq.errores?.[0]?.servicio).to.equal('mserv2');
    expect(rabbitmq.errores?.[0]?.motivo).to.satisfy(isReason);
    expect(await doctor(url)).to.include(
      `✘ ${work} has other arguments than Archivero needs: PRECONDITION_FAILED`,
    );

    // Deleted, it is declared again and used.
    await declareOtherwise(url, (channel) => channel.deleteQueue(work));
    await it.processes.get('gateway')?.waitFor(({ msg }) => (msg ?? '').startsWith('queues usable again'));
    await eventually(async () => (await salud(it)).rabbitmq.errores?.length === 0);
  });

  it('the reply queue is named by /salud and the doctor, and requests take the direct route', async () => {
    using data = new TemporaryFolder();
    const ledger = `sqlite:${data.join('solicitudes.db')}`;
    await using it = await setUp({ env: { RABBITMQ_URL: url, LEDGER_URL: ledger } });
    await it.processes
      .get('gateway')
      ?.waitFor(({ msg, link }) => msg === 'connected to RabbitMQ' && link === 'archivero gateway replies');
    const replies = repliesQueue(
      (await readLedgerId({ kind: 'sqlite', path: data.join('solicitudes.db') })) ?? '',
    );
    await it.end('gateway', 'SIGTERM');
    await declareOtherwise(url, async (channel) => {
      await channel.deleteQueue(replies);
      await channel.assertQueue(replies, { durable: true });
    });
    await it.start('gateway');
    await eventually(
      async () => (await salud(it)).rabbitmq.motivo?.includes(`for queue '${replies}'`) ?? false,
    );
    const listing = await accepted(it, '/listar_archivos', { prefer: 'respond-async' });
    expect((await answerAt(it, listing)).status).to.equal(200);
    expect(await doctor(url, ledger)).to.include(`✘ ${replies} has other arguments than Archivero needs`);
  });

  it('the exchange is named by the log, /salud and the doctor, and requests take the direct route', async () => {
    await declareOtherwise(url, (channel) =>
      channel.assertExchange(requestsExchange, 'topic', { durable: false }),
    );
    await using it = await setUp({ env: { RABBITMQ_URL: url } });
    const reason = `PRECONDITION_FAILED - inequivalent arg 'type' for exchange '${requestsExchange}'`;
    for (const name of ['gateway', 'mserv1', 'mserv2'] as const)
      await it.processes.get(name)?.waitFor((line) => String(line['reason']).startsWith(reason));
    const listing = await accepted(it, '/listar_archivos', { prefer: 'respond-async' });
    expect((await answerAt(it, listing)).status).to.equal(200);
    // The reasons are shown once the replies are connected too.
    await eventually(async () => (await salud(it)).rabbitmq.errores?.length === 2);
    const { estado, rabbitmq } = await salud(it);
    expect(estado).to.equal('degradado');
    expect(rabbitmq.errores?.map(({ servicio }) => servicio)).to.have.members(['mserv1', 'mserv2']);
    expect(await doctor(url)).to.include(`✘ ${requestsExchange} cannot be used: ${reason}`);

    // The services consume their queues all the same.
    await eventually(async () => {
      const { servicios } = (await (await it.get('/salud')).json()) as {
        servicios: Record<string, { consumidores: number | null }>;
      };
      return Object.values(servicios).every(({ consumidores }) => consumidores === 1);
    });

    await declareOtherwise(url, (channel) => channel.deleteExchange(requestsExchange));
    await eventually(async () => (await salud(it)).estado === 'sano');
  });

  it('its permissions to a user is no wrong queue for the doctor', async () => {
    const restricted = new URL(url);
    await declareOtherwise(url, async (channel) => {
      for (const [queue, wanted] of queueArguments('mserv1'))
        await channel.assertQueue(queue, { durable: true, arguments: wanted });
    });
    restricted.username = `lector-${restricted.pathname.slice(1)}`;
    restricted.password = 'secreto';
    await rabbit.ctl('add_user', restricted.username, restricted.password);
    await rabbit.ctl(
      'set_permissions',
      '-p',
      restricted.pathname.slice(1),
      restricted.username,
      '^$',
      '.*',
      '.*',
    );
    const text = await doctor(restricted.href);
    await rabbit.ctl('delete_user', restricted.username);
    expect(text)
      .to.include(`✘ ${queuesOf('mserv1').work} cannot be used: ACCESS_REFUSED - `)
      .and.include('set_permissions')
      .and.not.include('delete_queue');
  });
});
