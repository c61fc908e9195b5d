import { queuesOf, requestsExchange } from '../../../runtime/amqp/topology.ts';
import type { FaultContext, Scenario } from '../harness/scenario.ts';
import { drainLoad } from '../harness/waits.ts';

const work = queuesOf('mserv1').work;

async function fillQueue({ deployment, load }: FaultContext): Promise<void> {
  const definition = { 'max-length': 5 };
  const pattern = `^${work.replaceAll('.', '\\.')}$`;
  await deployment.broker.request('PUT', 'policies', 'limit', { pattern, definition, 'apply-to': 'queues' });
  await deployment.kill('mserv1');
  await load.untilAccepted(80);
}

export const brokerFaults: readonly Scenario[] = [
  {
    name: 'broker-killed',
    about: 'broker killed under load',
    async fault({ deployment, load }) {
      await deployment.broker.kill();
      await load.untilAccepted(40);
    },
    repair: ({ deployment }) => deployment.broker.restart(),
  },
  {
    name: 'broker-wiped',
    about: "broker killed and its data deleted, the services' queues full",
    deployment: { running: ['gateway'] },
    before: 150,
    async fault({ deployment, load }) {
      await deployment.broker.wipe();
      await load.untilAccepted(40);
    },
    repair: ({ deployment }) => deployment.broker.restart(),
  },
  {
    name: 'everything-killed',
    about: "gateway, services and broker killed at once, the broker's data deleted",
    before: 150,
    async fault({ deployment }) {
      const programs = ['gateway', 'mserv1', 'mserv2'] as const;
      await Promise.all([...programs.map((name) => deployment.kill(name)), deployment.broker.kill()]);
      await deployment.broker.wipe();
    },
    repair: ({ deployment }) => deployment.broker.restart(),
  },
  {
    name: 'broker-stop-app',
    about: 'stop_app, then start_app',
    async fault({ deployment, load }) {
      await deployment.broker.ctl('stop_app');
      await load.untilAccepted(40);
    },
    async repair({ deployment }) {
      await deployment.broker.ctl('start_app');
    },
  },
  {
    name: 'connections-closed',
    about: 'close_all_connections, eight times in a row',
    async fault({ deployment }) {
      for (let n = 0; n < 8; n++) await deployment.broker.ctl('close_all_connections', 'fault');
    },
  },
  ...(
    [
      ['memory', ['set_vm_memory_high_watermark', '0.0001'], ['set_vm_memory_high_watermark', '0.4']],
      ['disk', ['set_disk_free_limit', '900000GB'], ['set_disk_free_limit', '50MB']],
    ] as const
  ).flatMap(([resource, raise, clear]): Scenario[] => [
    {
      name: `${resource}-alarm`,
      about: `${resource} alarm of the broker; waiting requests are answered over gRPC`,
      async fault(context) {
        await context.deployment.broker.ctl(...raise);
        await context.load.untilAccepted(40);
        await drainLoad(context);
        context.load.resume();
      },
      async repair({ deployment }) {
        await deployment.broker.ctl(...clear);
      },
    },
    {
      name: `${resource}-alarm-alone`,
      about: `${resource} alarm of the broker while the services are down`,
      async fault({ deployment, load }) {
        await deployment.broker.ctl(...raise);
        await Promise.all([deployment.kill('mserv1'), deployment.kill('mserv2')]);
        await load.untilAccepted(40);
      },
      async repair({ deployment }) {
        await deployment.broker.ctl(...clear);
      },
    },
  ]),
  {
    name: 'queue-full',
    about: 'work queue at its limit, its service down, so that the broker refuses publishes',
    fault: fillQueue,
    // Left out of mixes: without a repair the queue would stay full for the faults that follow.
    mixes: [],
  },
  {
    name: 'queue-limit-lifted',
    about: 'work queue at its limit, then the limit is lifted (RabbitMQ 3.10 does not tell open channels)',
    fault: fillQueue,
    async repair({ deployment }) {
      await deployment.broker.request('DELETE', 'policies', 'limit');
    },
  },
  {
    name: 'queue-limit-lifted-alone',
    about:
      'work queue at its limit, then lifted; mserv1 is reachable only through the queue until all is answered',
    deployment: { proxies: ['gateway-mserv1'] },
    async fault(context) {
      const { deployment } = context;
      deployment.proxy('gateway-mserv1').behave({ kind: 'black hole' });
      await fillQueue(context);
      await deployment.broker.request('DELETE', 'policies', 'limit');
      await deployment.start('mserv1');
      await drainLoad(context);
    },
    async repair({ deployment }) {
      deployment.proxy('gateway-mserv1').behave({ kind: 'pass' });
    },
  },
  {
    name: 'queue-deleted',
    about: 'work queue deleted with its messages, its service running; then again, its service down',
    async fault({ deployment, load }) {
      await deployment.broker.request('DELETE', 'queues', work);
      await load.untilAccepted(30);
      await deployment.kill('mserv1');
      await load.untilAccepted(30);
      await deployment.broker.request('DELETE', 'queues', work);
      await load.untilAccepted(30);
    },
  },
  {
    name: 'queue-unbound',
    about: 'work queue unbound from its exchange',
    async fault({ deployment, load }) {
      await deployment.broker.request('DELETE', 'bindings', `e/${requestsExchange}/q/${work}/mserv1`);
      await load.untilAccepted(40);
    },
  },
  {
    name: 'exchange-deleted',
    about: 'exchange of requests deleted',
    async fault({ deployment, load }) {
      await deployment.broker.request('DELETE', 'exchanges', requestsExchange);
      await load.untilAccepted(40);
    },
  },
  {
    name: 'replies-deleted',
    about: "the gateway's reply queue deleted with its messages",
    async fault({ deployment, load }) {
      const depths = await deployment.broker.depths();
      const replies = [...depths.keys()].find((name) => name.startsWith('archivero.respuestas.'));
      await deployment.broker.request('DELETE', 'queues', replies ?? 'none');
      await load.untilAccepted(40);
    },
  },
];
