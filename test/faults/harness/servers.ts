import { type Postgres, startPostgres } from '../../support/servers/postgres.ts';
import { type Broker, startBroker } from './broker.ts';
import type { WorldOptions } from './world.ts';

/** The servers that scenarios share, one after the other: started when the first one needs them. */
export interface Servers extends AsyncDisposable {
  /** Those that a scenario needs, running and as good as new. */
  ready(
    options: WorldOptions,
  ): Promise<{ readonly broker: Broker | undefined; readonly postgres: Postgres | undefined }>;
}

export function createServers(): Servers {
  let broker: Broker | undefined;
  let postgres: Postgres | undefined;

  async function readyBroker(): Promise<Broker> {
    if (broker === undefined) broker = await startBroker();
    else await broker.renew();
    return broker;
  }

  async function readyPostgres(): Promise<Postgres> {
    if (postgres === undefined) postgres = await startPostgres();
    else await postgres.restart();
    return postgres;
  }

  return {
    async ready({ broker: wanted = true, ledger }) {
      return {
        broker: wanted ? await readyBroker() : undefined,
        postgres: ledger === 'postgres' ? await readyPostgres() : undefined,
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([broker?.stop(), postgres?.stop()]);
    },
  };
}
