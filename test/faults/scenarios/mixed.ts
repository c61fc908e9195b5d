import { findPostgres } from '../../../scripts/postgres-install.mjs';
import type { DeploymentOptions } from '../harness/deployment.ts';
import { mixOf } from '../harness/mix.ts';
import type { Experiment } from '../harness/run-scenario.ts';
import type { ProxyName } from '../harness/wiring.ts';
import { scenarios } from './all.ts';
import { clockEnv, resetClock } from './clock.ts';
import { mountMissing, smallDisk } from './ledger.ts';
import { entries } from './service.ts';

const proxies: readonly ProxyName[] = [
  'client-gateway',
  'gateway-broker',
  'mserv1-broker',
  'mserv2-broker',
  'gateway-mserv1',
  'gateway-mserv2',
];
/** Enough space for the ledger of a mix of some minutes. */
const diskMegabytes = 512;
/** Share of the minutes that SQLite's mix gets; PostgreSQL's mix gets the rest. */
const sqliteShare = 0.6;

const deployment: DeploymentOptions = { replicas: true, entries, env: clockEnv };

/** Returns the random mixes: one on SQLite, then one with two gateways on PostgreSQL, if it is installed. */
export function mixes(minutes: number, say: (line: string) => void): readonly Experiment[] {
  const onSqlite: DeploymentOptions = {
    ...deployment,
    proxies,
    prepare(folder) {
      const undo = [
        resetClock(),
        ...(mountMissing() === undefined ? [smallDisk(folder, diskMegabytes)] : []),
      ];
      return () => {
        for (const each of undo) each();
      };
    },
  };
  const onPostgres: DeploymentOptions = {
    ...deployment,
    ledger: 'postgres',
    proxies: [...proxies, 'gateway-postgres'],
    running: ['mserv1', 'mserv2', 'gateway', 'gateway#2'],
    prepare: resetClock,
  };
  if (findPostgres() === undefined)
    return [mixOf({ scenarios, say, minutes, ledger: 'sqlite', deployment: onSqlite })];
  return [
    mixOf({ scenarios, say, minutes: minutes * sqliteShare, ledger: 'sqlite', deployment: onSqlite }),
    mixOf({
      scenarios,
      say,
      minutes: minutes * (1 - sqliteShare),
      ledger: 'postgres',
      deployment: onPostgres,
    }),
  ];
}
