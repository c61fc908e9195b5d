import { setTimeout as delay } from 'node:timers/promises';
import { quiet } from '../harness/quiet.ts';
import type { Scenario } from '../harness/scenario.ts';
import { nextAsk } from '../harness/tree.ts';

/** For a world's `entries`. */
export const entries = { mserv1: 'test/faults/harness/harmed-mserv1.ts' };
const poison = '/listar_archivos?ruta=veneno';
const slow = '/listar_archivos?ruta=lenta';
const open = new Set<string | undefined>([undefined, 'aceptada', 'encolada']);

export const serviceFaults: readonly Scenario[] = [
  {
    name: 'poison',
    about: 'one request that kills mserv1, among 1,000 good ones; mserv1 is started again each time',
    world: { entries },
    expect: { ends: { [poison]: 502 } },
    async fault({ world, load, random }) {
      await load.pause();
      void world.kill('mserv1', 'is about to die');
      const neighbours = (count: number): Promise<unknown> =>
        Promise.all(
          Array.from({ length: count }, () => load.ask({ ...nextAsk(random), prefer: 'respond-async' })),
        );
      await neighbours(500);
      const id = (await load.ask({ path: poison, prefer: 'respond-async' })) ?? '';
      await neighbours(500);
      while (open.has(await world.evidence.state(id))) {
        void world.kill('mserv1', 'is about to die');
        await delay(100);
        await world.start('mserv1');
      }
    },
  },
  {
    name: 'poison-without-a-broker',
    about:
      'one request that kills mserv1, among 60 good ones, while the broker is down: direct calls find it',
    world: { entries },
    expect: { ends: { [poison]: 502 } },
    async fault({ world, load, random }) {
      await load.pause();
      await Promise.all([world.kill('mserv1'), world.broker.kill()]);
      const neighbours = (): Promise<unknown> =>
        Promise.all(
          Array.from({ length: 30 }, () => load.ask({ ...nextAsk(random), prefer: 'respond-async' })),
        );
      await neighbours();
      const id = (await load.ask({ path: poison, prefer: 'respond-async' })) ?? '';
      await neighbours();
      while (open.has(await world.evidence.state(id))) {
        await world.start('mserv1');
        void world.kill('mserv1', 'is about to die');
        await delay(100);
      }
    },
    heal: ({ world }) => world.broker.restart(),
    faultSeconds: 90,
    // Its pauses take half a minute.
    mixes: [],
  },
  {
    name: 'grpc-forced-shutdown',
    about: "mserv1's gRPC server shut by force in the middle of 16 calls",
    world: { entries, env: { GRPC_DEADLINE_MS: '10000' } },
    expect: { ends: { [slow]: 404 } },
    async fault(stage) {
      const { world, load, violations } = stage;
      const mserv1 = world.proc('mserv1');
      const calls = Array.from({ length: 16 }, () => load.ask({ path: slow }));
      await delay(500);
      process.kill(mserv1.pid, 'SIGUSR2');
      const ids = await Promise.all(calls);
      violations.expect(!ids.includes(undefined), 'a call that was broken off was not accepted');
      await quiet(stage);
    },
    async heal({ world }) {
      await world.kill('mserv1');
    },
  },
];
