import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { findPostgres, postgresAdvice } from '../../../scripts/postgres-install.mjs';
import type { DeploymentOptions } from '../harness/deployment.ts';
import type { Scenario } from '../harness/scenario.ts';
import { nextRequest } from '../harness/tree.ts';
import { untilRefused } from '../harness/waits.ts';
import { cutFrames } from './network.ts';

const badMs = 4_000;
/** Long enough for some queries to be in flight, short enough for none to time out. */
const queriedMs = 1_000;
/** Longer than every deadline. */
const longMs = 13_000;
const proxyName = 'gateway-postgres';
const missing = (): string | undefined =>
  findPostgres() === undefined ? `PostgreSQL is not installed: ${postgresAdvice}` : undefined;

function onPostgres(
  scenario: Pick<Scenario, 'name' | 'about' | 'fault'> & Partial<Scenario>,
  deployment: DeploymentOptions = {},
): Scenario {
  return {
    missing,
    deployment: { ledger: 'postgres', ...deployment },
    expect: { refusals: true },
    mixes: ['postgres'],
    ...scenario,
  };
}

/** Number of concurrent requests with one key, half of them at each gateway. */
const racers = 4;
const races = 40;

export const postgresFaults: readonly Scenario[] = [
  onPostgres({
    name: 'postgres-killed',
    about: 'PostgreSQL killed under load, then restarted on its data',
    async fault(context) {
      await context.deployment.postgres.kill();
      await untilRefused(context);
      await delay(badMs);
    },
    repair: ({ deployment }) => deployment.postgres.restart(),
  }),
  onPostgres({
    name: 'postgres-frozen',
    about: 'PostgreSQL stopped (SIGSTOP) past statement time-outs, then continued',
    async fault(context) {
      await context.deployment.postgres.pause();
      await untilRefused(context);
      await delay(badMs);
    },
    repair: async ({ deployment }) => deployment.postgres.resume(),
  }),
  onPostgres(
    {
      name: `${proxyName}-reset-in-mid-frame`,
      about: 'between gateway and PostgreSQL: reset in mid-frame, six times',
      fault: (context) => cutFrames(context, proxyName),
    },
    { proxies: [proxyName] },
  ),
  onPostgres(
    {
      name: `${proxyName}-black-hole`,
      about: 'between gateway and PostgreSQL: black hole',
      async fault(context) {
        context.deployment.proxy(proxyName).behave({ kind: 'black hole' });
        await untilRefused(context);
        await delay(badMs);
      },
      repair: async ({ deployment }) => deployment.proxy(proxyName).behave({ kind: 'pass' }),
    },
    { proxies: [proxyName] },
  ),
  ...(['dialler', 'dialled'] as const).map((ends) => {
    const living = ends === 'dialler' ? 'PostgreSQL' : 'gateway';
    return onPostgres(
      {
        name: `${proxyName}-half-open-at-${living.toLowerCase()}`,
        about: `between gateway and PostgreSQL: connections end unnoticed by ${living}`,
        async fault({ deployment, load }) {
          for (let n = 0; n < 2; n++) {
            deployment.proxy(proxyName).halfOpen(ends);
            await load.untilAccepted(20);
          }
        },
      },
      { proxies: [proxyName] },
    );
  }),
  ...(
    [
      ['2 s late', { kind: 'late', ms: 2_000 }],
      ['byte by byte', { kind: 'byte by byte' }],
    ] as const
  ).map(([effect, behaviour]) =>
    onPostgres(
      {
        name: `${proxyName}-${effect.replaceAll(' ', '-')}`,
        about: `between gateway and PostgreSQL: ${effect}`,
        load: { rate: 40, next: (random) => nextRequest(random, 0) },
        async fault({ deployment }) {
          deployment.proxy(proxyName).behave(behaviour);
          await delay(badMs);
        },
        repair: async ({ deployment }) => deployment.proxy(proxyName).behave({ kind: 'pass' }),
      },
      { proxies: [proxyName] },
    ),
  ),
  onPostgres(
    {
      name: 'gateway-frozen-over-postgres',
      about: 'gateway stopped past every time-out, while PostgreSQL answers its queries, then continued',
      expect: {},
      async fault({ deployment }) {
        deployment.proxy(proxyName).behave({ kind: 'black hole' });
        await delay(queriedMs);
        deployment.proc('gateway').pause();
        deployment.proxy(proxyName).behave({ kind: 'pass' });
        await delay(longMs);
      },
      async repair({ deployment }) {
        deployment.proxy(proxyName).behave({ kind: 'pass' });
        deployment.proc('gateway').resume();
      },
    },
    { proxies: [proxyName] },
  ),
  onPostgres(
    {
      name: 'gateways-racing',
      about: `two gateways over one PostgreSQL: ${races} keys, each used ${racers} times at once at both; then one gateway is killed, and the other answers all requests`,
      expect: {},
      async fault({ deployment, load, random }) {
        await Promise.all([deployment.kill('mserv1'), deployment.kill('mserv2')]);
        const other = `http://127.0.0.1:${await deployment.portOf('gateway#2')}`;
        for (let race = 0; race < races; race++) {
          const key = randomUUID();
          const { path } = nextRequest(random, 0);
          const runners = Array.from({ length: racers }, (_, n) =>
            load.send({ path, key, ...(n % 2 === 1 && { at: other }) }),
          );
          await Promise.all(runners);
        }
        await deployment.kill('gateway#2');
      },
      async repair({ deployment }) {
        await deployment.start('gateway#2');
      },
    },
    { running: ['mserv1', 'mserv2', 'gateway', 'gateway#2'] },
  ),
];
