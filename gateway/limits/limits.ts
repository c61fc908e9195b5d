import type { Logger } from 'pino';
import type { RateLimit } from './rate-limit.ts';
import type { Allowance, LimitStore } from './store.ts';

export interface LimitsOptions {
  readonly allowances: readonly Allowance[];
  readonly costs: ReadonlyMap<string, number>;
  /** The database of counters that several gateways share; undefined keeps them in this process. */
  readonly database: string | undefined;
  readonly log: Logger;
}

/** The rate limits and their store. Modules and connections are opened only when a limit is configured. */
export interface Limits {
  readonly rateLimit: RateLimit | undefined;
  store(): Promise<LimitStore>;
  stop(): Promise<void>;
}

export async function openLimits({ allowances, costs, database, log }: LimitsOptions): Promise<Limits> {
  let opened: Promise<LimitStore> | undefined;
  const store = (): Promise<LimitStore> => {
    opened ??= openStore(database, log);
    return opened;
  };
  let rateLimit: RateLimit | undefined;
  if (allowances.length > 0) {
    const { createRateLimit } = await import('./rate-limit.ts');
    rateLimit = createRateLimit({ allowances, costs, store: await store() });
  }
  return { rateLimit, store, stop: async () => (await opened)?.stop() };
}

async function openStore(database: string | undefined, log: Logger): Promise<LimitStore> {
  if (database === undefined) return (await import('./store.ts')).createMemoryStore();
  return (await import('./postgres-store.ts')).openPostgresStore(database, log);
}
