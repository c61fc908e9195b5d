import { setTimeout as delay } from 'node:timers/promises';
import type { Scenario } from '../harness/scenario.ts';
import { nextRequest } from '../harness/tree.ts';
import { drainLoad } from '../harness/waits.ts';

/** Runs the faulty mserv1; a deployment's `entries`. */
export const entries = { mserv1: 'test/faults/harness/faulty-mserv1.ts' };
const poison = '/listar_archivos?ruta=veneno';
const slow = '/listar_archivos?ruta=lenta';
const open = new Set<string | undefined>([undefined, 'aceptada', 'encolada']);

export const serviceFaults: readonly Scenario[] = [
  {
    name: 'poison',
    about: 'one request that kills mserv1, among 1,000 good ones; mserv1 is restarted each time',
    deployment: { entries },
    expect: { ends: { [poison]: 502 } },
    async fault({ deployment, load, random }) {
      await load.pause();
      void deployment.awaitExit('mserv1');
      const neighbours = (count: number): Promise<unknown> =>
        Promise.all(
          Array.from({ length: count }, () => load.send({ ...nextRequest(random), prefer: 'respond-async' })),
        );
      await neighbours(500);
      const id = (await load.send({ path: poison, prefer: 'respond-async' })) ?? '';
      await neighbours(500);
      while (open.has(await deployment.ledgerReader.state(id))) {
        void deployment.awaitExit('mserv1');
        await delay(100);
        await deployment.start('mserv1');
      }
    },
  },
  {
    name: 'poison-without-a-broker',
    about:
      'one request that kills mserv1, among 60 good ones, while the broker is down: direct calls isolate it',
    deployment: { entries },
    expect: { ends: { [poison]: 502 } },
    async fault({ deployment, load, random }) {
      await load.pause();
      await Promise.all([deployment.kill('mserv1'), deployment.broker.kill()]);
      const neighbours = (): Promise<unknown> =>
        Promise.all(
          Array.from({ length: 30 }, () => load.send({ ...nextRequest(random), prefer: 'respond-async' })),
        );
      await neighbours();
      const id = (await load.send({ path: poison, prefer: 'respond-async' })) ?? '';
      await neighbours();
      while (open.has(await deployment.ledgerReader.state(id))) {
        await deployment.start('mserv1');
        void deployment.awaitExit('mserv1');
        await delay(100);
      }
    },
    repair: ({ deployment }) => deployment.broker.restart(),
    faultSeconds: 90,
    // Left out of mixes: its pauses take half a minute.
    mixes: [],
  },
  {
    name: 'grpc-forced-shutdown',
    about: "mserv1's gRPC server shut down by force during 16 calls",
    deployment: { entries, env: { GRPC_DEADLINE_MS: '10000' } },
    expect: { ends: { [slow]: 404 } },
    async fault(context) {
      const { deployment, load, violations } = context;
      const mserv1 = deployment.proc('mserv1');
      const calls = Array.from({ length: 16 }, () => load.send({ path: slow }));
      await delay(500);
      process.kill(mserv1.pid, 'SIGUSR2');
      const ids = await Promise.all(calls);
      violations.expect(!ids.includes(undefined), 'an aborted call was not accepted');
      await drainLoad(context);
    },
    async repair({ deployment }) {
      await deployment.kill('mserv1');
    },
  },
];
