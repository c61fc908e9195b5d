import Router from '@koa/router';
import { queuesOf } from '../../runtime/amqp/topology.ts';
import type { AnswerCache } from '../answers/answer-cache.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import type { Management } from '../colas/management.ts';
import type { State } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation } from '../operations/operation.ts';
import type { Broker } from '../solicitudes/broker.ts';
import type { Ledger } from '../solicitudes/ledger.ts';
import { describeBroker } from './broker-state.ts';
import { createIndex } from './index-page.ts';
import { createSalud } from './salud.ts';
import { stateCollector } from './state-metrics.ts';

export interface AdminDeps {
  readonly clients: readonly ServiceClient[];
  readonly operations: readonly Operation[];
  readonly cache: AnswerCache;
  readonly ledger: Ledger;
  /** The folder of the ledger's file, when it has one. */
  readonly ledgerFolder: string | undefined;
  readonly broker: Broker | undefined;
  readonly management: Management | undefined;
  readonly metrics: Metrics;
  /** The version of this program. */
  readonly version: string;
}

/** Creates `/`, `/salud` and its like, and `/metrics`, to which it adds the state of the parts. */
export function adminRoutes(deps: AdminDeps): Router<State> {
  const { clients, operations, cache, ledger, ledgerFolder, broker, management, metrics, version } = deps;
  const publisher = broker?.publisher;
  metrics.add(
    stateCollector({
      clients,
      cache,
      ledger,
      ledgerFolder,
      publisher,
      services: clients.map(({ service }) => service),
      queues: broker?.queues ?? [],
      now: Date.now,
    }),
  );
  const { salud, viva, preparada } = createSalud({
    clients,
    ledger,
    version,
    broker: () => describeBroker(broker, management),
    consumers: async (service) => {
      if (!publisher?.usable) return undefined;
      return (await publisher.inspect(queuesOf(service).work))?.consumers;
    },
    startedAt: Date.now(),
  });
  const router = new Router<State>();
  router.get('/', createIndex({ version, operations }));
  router.get('/salud', salud);
  router.get(['/salud/viva', '/healthz'], viva);
  router.get(['/salud/preparada', '/readyz'], preparada);
  router.get('/metrics', async (ctx) => {
    const { type, text } = await metrics.render();
    ctx.set({ 'Cache-Control': 'no-store', 'Content-Type': type });
    ctx.body = text;
  });
  return router;
}
