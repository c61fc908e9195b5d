import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { findPostgres, postgresAdvice } from '../../../scripts/postgres-install.mjs';
import { untilRefused } from '../harness/quiet.ts';
import type { Scenario } from '../harness/scenario.ts';
import { nextAsk } from '../harness/tree.ts';
import type { WorldOptions } from '../harness/world.ts';
import { cutFrames } from './network.ts';

const badMs = 4_000;
/** Until some have asked the ledger, and none has waited too long. */
const askedMs = 1_000;
/** Past every deadline. */
const longMs = 13_000;
const link = 'gateway-postgres';
const missing = (): string | undefined =>
  findPostgres() === undefined ? `PostgreSQL is not installed: ${postgresAdvice}` : undefined;

function onPostgres(
  scenario: Pick<Scenario, 'name' | 'about' | 'fault'> & Partial<Scenario>,
  world: WorldOptions = {},
): Scenario {
  return {
    missing,
    world: { ledger: 'postgres', ...world },
    expect: { refusals: true },
    mixes: ['postgres'],
    ...scenario,
  };
}

/** Requests with one key, at both gateways at once. */
const racers = 4;
const races = 40;

export const postgresFaults: readonly Scenario[] = [
  onPostgres({
    name: 'postgres-killed',
    about: 'PostgreSQL killed under load, and started again on its data',
    async fault(stage) {
      await stage.world.postgres.kill();
      await untilRefused(stage);
      await delay(badMs);
    },
    heal: ({ world }) => world.postgres.restart(),
  }),
  onPostgres({
    name: 'postgres-frozen',
    about: 'PostgreSQL stopped (SIGSTOP) past statement time-outs, then continued',
    async fault(stage) {
      await stage.world.postgres.pause();
      await untilRefused(stage);
      await delay(badMs);
    },
    heal: async ({ world }) => world.postgres.resume(),
  }),
  onPostgres(
    {
      name: `${link}-reset-in-mid-frame`,
      about: 'between gateway and PostgreSQL: reset in mid-frame, six times',
      fault: (stage) => cutFrames(stage, link),
    },
    { links: [link] },
  ),
  onPostgres(
    {
      name: `${link}-black-hole`,
      about: 'between gateway and PostgreSQL: black hole',
      async fault(stage) {
        stage.world.link(link).behave({ kind: 'black hole' });
        await untilRefused(stage);
        await delay(badMs);
      },
      heal: async ({ world }) => world.link(link).behave({ kind: 'pass' }),
    },
    { links: [link] },
  ),
  ...(['dialler', 'dialled'] as const).map((ends) => {
    const living = ends === 'dialler' ? 'PostgreSQL' : 'gateway';
    return onPostgres(
      {
        name: `${link}-half-open-at-${living.toLowerCase()}`,
        about: `between gateway and PostgreSQL: connections end unnoticed by ${living}`,
        async fault({ world, load }) {
          for (let n = 0; n < 2; n++) {
            world.link(link).halfOpen(ends);
            await load.untilAccepted(20);
          }
        },
      },
      { links: [link] },
    );
  }),
  ...(
    [
      ['2 s late', { kind: 'late', ms: 2_000 }],
      ['byte by byte', { kind: 'byte by byte' }],
    ] as const
  ).map(([what, behaviour]) =>
    onPostgres(
      {
        name: `${link}-${what.replaceAll(' ', '-')}`,
        about: `between gateway and PostgreSQL: ${what}`,
        load: { rate: 40, next: (random) => nextAsk(random, 0) },
        async fault({ world }) {
          world.link(link).behave(behaviour);
          await delay(badMs);
        },
        heal: async ({ world }) => world.link(link).behave({ kind: 'pass' }),
      },
      { links: [link] },
    ),
  ),
  onPostgres(
    {
      name: 'gateway-frozen-over-postgres',
      about: 'gateway stopped past every time-out, while PostgreSQL answers its queries, then continued',
      expect: {},
      async fault({ world }) {
        world.link(link).behave({ kind: 'black hole' });
        await delay(askedMs);
        world.proc('gateway').pause();
        world.link(link).behave({ kind: 'pass' });
        await delay(longMs);
      },
      async heal({ world }) {
        world.link(link).behave({ kind: 'pass' });
        world.proc('gateway').resume();
      },
    },
    { links: [link] },
  ),
  onPostgres(
    {
      name: 'gateways-racing',
      about: `two gateways over one PostgreSQL: ${races} keys, each used ${racers} times at once at both; then one gateway is killed, and the other answers for all`,
      expect: {},
      async fault({ world, load, random }) {
        await Promise.all([world.kill('mserv1'), world.kill('mserv2')]);
        const other = `http://127.0.0.1:${await world.portOf('gateway#2')}`;
        for (let race = 0; race < races; race++) {
          const key = randomUUID();
          const { path } = nextAsk(random, 0);
          const runners = Array.from({ length: racers }, (_, n) =>
            load.ask({ path, key, ...(n % 2 === 1 && { at: other }) }),
          );
          await Promise.all(runners);
        }
        await world.kill('gateway#2');
      },
      async heal({ world }) {
        await world.start('gateway#2');
      },
    },
    { running: ['mserv1', 'mserv2', 'gateway', 'gateway#2'] },
  ),
];
