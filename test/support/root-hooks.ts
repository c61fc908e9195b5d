import { stopSharedPostgres } from './postgres.ts';
import { stopSharedRabbit } from './rabbitmq.ts';

/** Loaded by mocha before all tests (.mocharc.json). */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await Promise.all([stopSharedRabbit(), stopSharedPostgres()]);
  },
};
