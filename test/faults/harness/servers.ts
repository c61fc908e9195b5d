import { type Postgres, startPostgres } from '../../support/servers/postgres.ts';
import { type Broker, startBroker } from './broker.ts';
import type { DeploymentOptions } from './deployment.ts';

/** RabbitMQ and PostgreSQL for one scenario after another, started when first needed. */
export interface SharedServers extends AsyncDisposable {
  /** Returns the servers that a scenario needs, running and reset. */
  prepare(
    options: DeploymentOptions,
  ): Promise<{ readonly broker: Broker | undefined; readonly postgres: Postgres | undefined }>;
}

export function createSharedServers(): SharedServers {
  let broker: Broker | undefined;
  let postgres: Postgres | undefined;

  async function readyBroker(): Promise<Broker> {
    if (broker === undefined) broker = await startBroker();
    else await broker.reset();
    return broker;
  }

  async function readyPostgres(): Promise<Postgres> {
    if (postgres === undefined) postgres = await startPostgres();
    else await postgres.restart();
    return postgres;
  }

  return {
    async prepare({ broker: wanted = true, ledger }) {
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
