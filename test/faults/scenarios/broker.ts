import { queuesOf, requestsExchange } from '../../../runtime/amqp/topology.ts';
import { quiet } from '../harness/quiet.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';

const work = queuesOf('mserv1').work;

async function fillQueue({ world, load }: Stage): Promise<void> {
  const definition = { 'max-length': 5 };
  const pattern = `^${work.replaceAll('.', '\\.')}$`;
  await world.broker.request('PUT', 'policies', 'limit', { pattern, definition, 'apply-to': 'queues' });
  await world.kill('mserv1');
  await load.untilAccepted(80);
}

export const brokerFaults: readonly Scenario[] = [
  {
    name: 'broker-killed',
    about: 'broker killed under load',
    async fault({ world, load }) {
      await world.broker.kill();
      await load.untilAccepted(40);
    },
    heal: ({ world }) => world.broker.restart(),
  },
  {
    name: 'broker-wiped',
    about: "broker killed and its data deleted, the services' queues full",
    world: { running: ['gateway'] },
    before: 150,
    async fault({ world, load }) {
      await world.broker.wipe();
      await load.untilAccepted(40);
    },
    heal: ({ world }) => world.broker.restart(),
  },
  {
    name: 'everything-killed',
    about: "gateway, services and broker killed at once, the broker's data deleted",
    before: 150,
    async fault({ world }) {
      const programs = ['gateway', 'mserv1', 'mserv2'] as const;
      await Promise.all([...programs.map((name) => world.kill(name)), world.broker.kill()]);
      await world.broker.wipe();
    },
    heal: ({ world }) => world.broker.restart(),
  },
  {
    name: 'broker-stop-app',
    about: 'stop_app, and start_app later',
    async fault({ world, load }) {
      await world.broker.ctl('stop_app');
      await load.untilAccepted(40);
    },
    async heal({ world }) {
      await world.broker.ctl('start_app');
    },
  },
  {
    name: 'connections-closed',
    about: 'close_all_connections, eight times on end',
    async fault({ world }) {
      for (let n = 0; n < 8; n++) await world.broker.ctl('close_all_connections', 'fault');
    },
  },
  ...(
    [
      ['memory', ['set_vm_memory_high_watermark', '0.0001'], ['set_vm_memory_high_watermark', '0.4']],
      ['disk', ['set_disk_free_limit', '900000GB'], ['set_disk_free_limit', '50MB']],
    ] as const
  ).flatMap(([what, raise, clear]): Scenario[] => [
    {
      name: `${what}-alarm`,
      about: `${what} alarm of the broker; gRPC works and answers what waits`,
      async fault(stage) {
        await stage.world.broker.ctl(...raise);
        await stage.load.untilAccepted(40);
        await quiet(stage);
        stage.load.resume();
      },
      async heal({ world }) {
        await world.broker.ctl(...clear);
      },
    },
    {
      name: `${what}-alarm-alone`,
      about: `${what} alarm of the broker while the services are down`,
      async fault({ world, load }) {
        await world.broker.ctl(...raise);
        await Promise.all([world.kill('mserv1'), world.kill('mserv2')]);
        await load.untilAccepted(40);
      },
      async heal({ world }) {
        await world.broker.ctl(...clear);
      },
    },
  ]),
  {
    name: 'queue-full',
    about: 'work queue at its limit, its service down, so that the broker refuses what is published',
    fault: fillQueue,
    // It is not repaired, so that what comes after it in a mix would be about a full queue, too.
    mixes: [],
  },
  {
    name: 'queue-limit-lifted',
    about: 'work queue at its limit, then the limit is lifted (RabbitMQ 3.10 does not tell open channels)',
    fault: fillQueue,
    async heal({ world }) {
      await world.broker.request('DELETE', 'policies', 'limit');
    },
  },
  {
    name: 'queue-limit-lifted-alone',
    about:
      'work queue at its limit, then lifted; mserv1 is reachable only through the queue until all is answered',
    world: { links: ['gateway-mserv1'] },
    async fault(stage) {
      const { world } = stage;
      world.link('gateway-mserv1').behave({ kind: 'black hole' });
      await fillQueue(stage);
      await world.broker.request('DELETE', 'policies', 'limit');
      await world.start('mserv1');
      await quiet(stage);
    },
    async heal({ world }) {
      world.link('gateway-mserv1').behave({ kind: 'pass' });
    },
  },
  {
    name: 'queue-deleted',
    about: 'work queue deleted with all that is in it, its service running; then again, its service down',
    async fault({ world, load }) {
      await world.broker.request('DELETE', 'queues', work);
      await load.untilAccepted(30);
      await world.kill('mserv1');
      await load.untilAccepted(30);
      await world.broker.request('DELETE', 'queues', work);
      await load.untilAccepted(30);
    },
  },
  {
    name: 'queue-unbound',
    about: 'work queue unbound from its exchange',
    async fault({ world, load }) {
      await world.broker.request('DELETE', 'bindings', `e/${requestsExchange}/q/${work}/mserv1`);
      await load.untilAccepted(40);
    },
  },
  {
    name: 'exchange-deleted',
    about: 'exchange of the requests deleted',
    async fault({ world, load }) {
      await world.broker.request('DELETE', 'exchanges', requestsExchange);
      await load.untilAccepted(40);
    },
  },
  {
    name: 'replies-deleted',
    about: "gateway's queue of replies deleted, with what is in it",
    async fault({ world, load }) {
      const depths = await world.broker.ready();
      const replies = [...depths.keys()].find((name) => name.startsWith('archivero.respuestas.'));
      await world.broker.request('DELETE', 'queues', replies ?? 'none');
      await load.untilAccepted(40);
    },
  },
];
