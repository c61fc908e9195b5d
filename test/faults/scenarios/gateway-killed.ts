import { setTimeout as delay } from 'node:timers/promises';
import type { Strike, Struck } from '../harness/link.ts';
import { closed, quiet, reached } from '../harness/quiet.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { dieAtSync, freezeAfterSync, stallWrites, straceMissing, untilFrozen } from '../harness/strace.ts';

const path = '/listar_archivos?ruta=nada';
const async = { path, prefer: 'respond-async' };

/** Kills the gateway when a frame of its connections to the broker comes by, under load. */
function atFrame(name: string, about: string, strike: Strike): Scenario {
  return {
    name: `gateway-killed-${name}`,
    about: `gateway killed ${about}`,
    world: { links: ['gateway-broker'] },
    async fault({ world, random }) {
      const nth = random.between(1, 30);
      await world.link('gateway-broker').strike({ ...strike, nth }).reached;
      await world.kill('gateway');
    },
  };
}

const stallMs = 3_000;
/** Whatever does not wait for the disk is done by then. */
const meanwhileMs = 500;

/** Kills the gateway while it commits what an AMQP frame from the broker tells it; nothing else is under way. */
function atCommit(name: string, about: string, method: string, prepare: (stage: Stage) => Promise<void>) {
  return {
    name: `gateway-killed-${name}`,
    about: `gateway killed ${about}`,
    missing: straceMissing,
    world: { links: ['gateway-broker'] },
    mixes: ['sqlite'],
    async fault(stage) {
      const { world } = stage;
      await quiet(stage);
      await prepare(stage);
      const strike = world.link('gateway-broker').strike({ way: 'back', method, action: 'hold before' });
      const id = await askUntilStruck(stage, strike);
      if (method === 'basic.deliver') await reached(world, id, 'encolada');
      await stallWrites(world.proc('gateway'), stallMs);
      strike.release();
      await delay(meanwhileMs);
      await world.kill('gateway');
    },
  } satisfies Scenario;
}

/** Gives the request that brought the frame. After another fault the first ones may be answered directly, without one. */
async function askUntilStruck({ world, load }: Stage, strike: Struck): Promise<string> {
  for (let tries = 0; tries < 10; tries++) {
    const id = await load.ask(async);
    if (id === undefined) continue;
    const struck = strike.reached.then(() => true);
    if (await Promise.race([struck, closed(world, id).then(() => false)])) return id;
  }
  throw new Error('No request went through the broker');
}

/** Nothing but accepting happens: there is no broker, and no service. */
const onlyAccepting = { broker: false, running: ['gateway'] } as const;

export const gatewayKilled: readonly Scenario[] = [
  {
    name: 'gateway-killed-before-commit',
    about: 'gateway killed as it begins the fsync of an acceptance',
    missing: straceMissing,
    world: onlyAccepting,
    mixes: ['sqlite'],
    async fault({ world }) {
      await dieAtSync(world.proc('gateway'));
      await world.kill('gateway', 'is about to die');
    },
  },
  {
    name: 'gateway-killed-after-commit',
    about: 'gateway killed when an acceptance is committed and its 202 not sent',
    missing: straceMissing,
    world: onlyAccepting,
    mixes: ['sqlite'],
    async fault({ world }) {
      const gateway = world.proc('gateway');
      await freezeAfterSync(gateway);
      await untilFrozen(gateway);
      await world.kill('gateway');
    },
  },
  atFrame('before-publish', 'before a publish', {
    way: 'out',
    method: 'basic.publish',
    action: 'hold before',
  }),
  atFrame('amid-publish', 'between the frames of a publish', {
    way: 'out',
    method: 'basic.publish',
    action: 'hold after',
  }),
  atFrame('before-confirm', 'after a publish, before its confirm', {
    way: 'back',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atCommit('after-confirm', 'after a confirm, before it is committed', 'basic.ack', async ({ world }) => {
    await world.kill('mserv1');
  }),
  atCommit(
    'before-result-commit',
    'after a reply came, before it is committed',
    'basic.deliver',
    async () => {},
  ),
  atFrame('before-ack', 'after a reply is committed, before its ack', {
    way: 'out',
    method: 'basic.ack',
    action: 'hold before',
  }),
  atFrame('after-ack', 'after a reply was acknowledged', {
    way: 'out',
    method: 'basic.ack',
    action: 'hold after',
  }),
];
