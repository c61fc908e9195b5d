import type { Control } from './harness/control.ts';
import type { Patch } from './harness/mutant.ts';
import type { Scenario } from './harness/scenario.ts';
import { scenarios } from './scenarios/all.ts';

/** Leaves queued rows to the queue: none is published again, and none takes the direct route. */
const withoutRepublishing: Patch = {
  file: 'gateway/solicitudes/broker-route.ts',
  find: 'const republish = await selectLost(queued, lease, diverted);',
  replace: 'const republish: Solicitud[] = queued.slice(0, 0);',
};

function named(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new TypeError(`Unknown scenario ${name}`);
  return found;
}

/** Defects that the harness must find. Each is a change of the source text in a copy of the tree. */
export const controls: readonly Control[] = [
  {
    name: 'not-mandatory',
    about: 'requests are published without `mandatory`, without republishing',
    scenario: named('queue-unbound'),
    common: [withoutRepublishing],
    defect: [
      { file: 'runtime/amqp/publish-channel.ts', find: 'mandatory: true', replace: 'mandatory: false' },
    ],
    expected: ['not answered'],
  },
  {
    name: 'service-acks-early',
    about: 'a service acknowledges a request before it has replied, without republishing',
    scenario: named('service-killed-after-work'),
    common: [withoutRepublishing],
    defect: [
      {
        file: 'runtime/amqp/work-consumer.ts',
        find: 'const ready = await replyTo({ ...work, traceparent }, delivery, requestLog);',
        replace:
          'delivery.ack();\nconst ready = await replyTo({ ...work, traceparent }, delivery, requestLog);',
      },
      {
        file: 'runtime/amqp/work-delivery.ts',
        find: 'delivery.held; attempt',
        replace: '!signal.aborted; attempt',
      },
    ],
    expected: ['not answered'],
  },
  {
    name: 'gateway-acks-early',
    about: 'the gateway acknowledges a reply before it is committed, without republishing',
    scenario: named('gateway-killed-before-result-commit'),
    common: [withoutRepublishing],
    defect: [
      {
        file: 'gateway/solicitudes/replies.ts',
        find: 'await storeTraced(row, traceparent, result);',
        replace: 'delivery.ack();\nawait storeTraced(row, traceparent, result);',
      },
    ],
    expected: ['not answered'],
  },
  {
    name: 'commit-after-202',
    about: 'the 202 is sent without waiting for the commit',
    scenario: named('ledger-sync-fails'),
    defect: [
      {
        file: 'gateway/solicitudes/acceptance.ts',
        find: 'const row = await ledger.accept(acceptance);',
        replace: 'const row = undefined;\nvoid ledger.accept(acceptance).catch(() => undefined);',
      },
    ],
    expected: ['missing'],
  },
  ...['ledger-synced-before-202', 'ledger-sync-fails'].map(
    (scenario): Control => ({
      name: `synchronous-off-${scenario}`,
      about: '`synchronous = OFF`: no commit waits for the disk, which kill -9 cannot show',
      scenario: named(scenario),
      defect: [
        {
          file: 'gateway/solicitudes/sqlite/database.ts',
          find: 'PRAGMA synchronous = FULL',
          replace: 'PRAGMA synchronous = OFF',
        },
      ],
      expected: ['expectation'],
    }),
  ),
  {
    name: 'rendered-otherwise',
    about: 'the stored answer is rendered with one more space than the direct answer',
    scenario: named('exchange-deleted'),
    defect: [
      {
        file: 'gateway/solicitudes/completion.ts',
        find: 'answer = renderVerdict(known, verdict, row.view);',
        replace: `answer = ((rendered) => ({ ...rendered, body: Buffer.concat([rendered.body, Buffer.from(' ')]) }))(
          renderVerdict(known, verdict, row.view),
        );`,
      },
    ],
    expected: ['identity'],
  },
];
