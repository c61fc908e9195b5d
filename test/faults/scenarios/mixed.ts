import { findPostgres } from '../../../scripts/postgres-install.mjs';
import { mixOf } from '../harness/mix.ts';
import type { Plot } from '../harness/run-scenario.ts';
import type { LinkName } from '../harness/wiring.ts';
import type { WorldOptions } from '../harness/world.ts';
import { scenarios } from './all.ts';
import { clockEnv, rightClock } from './clock.ts';
import { mountMissing, smallDisk } from './ledger.ts';
import { entries } from './service.ts';

const links: readonly LinkName[] = [
  'client-gateway',
  'gateway-broker',
  'mserv1-broker',
  'mserv2-broker',
  'gateway-mserv1',
  'gateway-mserv2',
];
/** Room for what some minutes leave in the ledger. */
const diskMegabytes = 512;
/** The rest is for the mix on PostgreSQL. */
const sqliteShare = 0.6;

const world: WorldOptions = { replicas: true, entries, env: clockEnv };

/** All faults at random, for that long together: first on SQLite, then with two gateways on PostgreSQL. */
export function mixes(minutes: number, say: (line: string) => void): readonly Plot[] {
  const onSqlite: WorldOptions = {
    ...world,
    links,
    prepare(folder) {
      const undo = [
        rightClock(),
        ...(mountMissing() === undefined ? [smallDisk(folder, diskMegabytes)] : []),
      ];
      return () => {
        for (const each of undo) each();
      };
    },
  };
  const onPostgres: WorldOptions = {
    ...world,
    ledger: 'postgres',
    links: [...links, 'gateway-postgres'],
    running: ['mserv1', 'mserv2', 'gateway', 'gateway#2'],
    prepare: rightClock,
  };
  if (findPostgres() === undefined)
    return [mixOf({ scenarios, say, minutes, ledger: 'sqlite', world: onSqlite })];
  return [
    mixOf({ scenarios, say, minutes: minutes * sqliteShare, ledger: 'sqlite', world: onSqlite }),
    mixOf({ scenarios, say, minutes: minutes * (1 - sqliteShare), ledger: 'postgres', world: onPostgres }),
  ];
}
