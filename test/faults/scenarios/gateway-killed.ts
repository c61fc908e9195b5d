import { setTimeout as delay } from 'node:timers/promises';
import { straceMissing } from '../../support/processes/strace.ts';
import type { ArmedFault, FrameFault } from '../harness/fault-proxy.ts';
import type { FaultContext, Scenario } from '../harness/scenario.ts';
import { freezeAfterSync, killAtSync, slowWrites, untilFrozen } from '../harness/strace.ts';
import { drainLoad, untilClosed, untilState } from '../harness/waits.ts';

const path = '/listar_archivos?ruta=nada';
const async = { path, prefer: 'respond-async' };

/** Kills the gateway under load when a certain frame passes between it and the broker. */
function atFrame(name: string, about: string, frameFault: FrameFault): Scenario {
  return {
    name: `gateway-killed-${name}`,
    about: `gateway killed ${about}`,
    deployment: { proxies: ['gateway-broker'] },
    async fault({ deployment, random }) {
      const nth = random.between(1, 30);
      await deployment.proxy('gateway-broker').arm({ ...frameFault, nth }).reached;
      await deployment.kill('gateway');
    },
  };
}

const slowMs = 3_000;
/** Time enough for all work that does not wait for the disk. */
const meanwhileMs = 500;

/** Kills the gateway while it commits the content of an AMQP frame, with no other request in flight. */
function atCommit(
  name: string,
  about: string,
  method: string,
  prepare: (context: FaultContext) => Promise<void>,
) {
  return {
    name: `gateway-killed-${name}`,
    about: `gateway killed ${about}`,
    missing: straceMissing,
    deployment: { proxies: ['gateway-broker'] },
    mixes: ['sqlite'],
    async fault(context) {
      const { deployment } = context;
      await drainLoad(context);
      await prepare(context);
      const armed = deployment
        .proxy('gateway-broker')
        .arm({ direction: 'back', method, action: 'hold before' });
      const id = await sendUntilReached(context, armed);
      if (method === 'basic.deliver') await untilState(deployment, id, 'encolada');
      await slowWrites(deployment.proc('gateway'), slowMs);
      armed.release();
      await delay(meanwhileMs);
      await deployment.kill('gateway');
    },
  } satisfies Scenario;
}

/** Sends requests until one brings the frame; returns its id. After another fault the first may take the direct route. */
async function sendUntilReached({ deployment, load }: FaultContext, armed: ArmedFault): Promise<string> {
  for (let tries = 0; tries < 10; tries++) {
    const id = await load.send(async);
    if (id === undefined) continue;
    const reached = armed.reached.then(() => true);
    if (await Promise.race([reached, untilClosed(deployment, id).then(() => false)])) return id;
  }
  throw new Error('No request took the broker route');
}

/** A gateway without broker and services, which only accepts requests. */
const onlyGateway = { broker: false, running: ['gateway'] } as const;

export const gatewayKilled: readonly Scenario[] = [
  {
    name: 'gateway-killed-before-commit',
    about: 'gateway killed at the beginning of the fsync of an acceptance',
    missing: straceMissing,
    deployment: onlyGateway,
    mixes: ['sqlite'],
    async fault({ deployment }) {
      await killAtSync(deployment.proc('gateway'));
      await deployment.awaitExit('gateway');
    },
  },
  {
    name: 'gateway-killed-after-commit',
    about: 'gateway killed after the commit of an acceptance, before its 202',
    missing: straceMissing,
    deployment: onlyGateway,
    mixes: ['sqlite'],
    async fault({ deployment }) {
      const gateway = deployment.proc('gateway');
      await freezeAfterSync(gateway);
      await untilFrozen(gateway);
      await deployment.kill('gateway');
    },
  },
  atFrame('before-publish', 'before a publish', {
    direction: 'out',
    method: 'basic.publish',
    action: 'hold before',
  }),
  atFrame('amid-publish', 'between the frames of a publish', {
    direction: 'out',
    method: 'basic.publish',
    action: 'hold after',
  }),
  atFrame('before-confirm', 'after a publish, before its confirm', {
    direction: 'back',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atCommit(
    'after-confirm',
    'after a confirm, before it is committed',
    'basic.ack',
    async ({ deployment }) => {
      await deployment.kill('mserv1');
    },
  ),
  atCommit(
    'before-result-commit',
    'after a reply came, before it is committed',
    'basic.deliver',
    async () => {},
  ),
  atFrame('before-ack', 'after a reply is committed, before its ack', {
    direction: 'out',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atFrame('after-ack', 'after a reply was acknowledged', {
    direction: 'out',
    method: 'basic.ack',
    action: 'hold after',
  }),
];
