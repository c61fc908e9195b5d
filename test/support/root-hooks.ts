import type { Context } from 'mocha';
import { endLeftovers } from './leftovers.ts';
import { stopSharedPostgres } from './postgres.ts';
import { stopSharedRabbit } from './rabbitmq.ts';

let failed = false;

/** Loaded by mocha before all tests (.mocharc.json). */
export const mochaHooks = {
  afterEach(this: Context): void {
    failed ||= this.currentTest?.state === 'failed';
  },
  async afterAll(): Promise<void> {
    await Promise.all([stopSharedRabbit(), stopSharedPostgres()]);
    const left = await endLeftovers();
    if (left.length > 0 && !failed) throw new Error(`Tests have left running: ${left.join(', ')}`);
  },
};
