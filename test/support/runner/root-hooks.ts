import type { Context } from 'mocha';
import { stopSharedPostgres } from '../servers/postgres.ts';
import { stopSharedRabbit } from '../servers/rabbitmq.ts';
import { endLeftovers } from './leftovers.ts';

let failed = false;

/** Mocha loads these hooks before all tests (.mocharc.json). */
export const mochaHooks = {
  afterEach(this: Context): void {
    failed ||= this.currentTest?.state === 'failed';
  },
  async afterAll(): Promise<void> {
    await Promise.all([stopSharedRabbit(), stopSharedPostgres()]);
    const left = await endLeftovers();
    if (left.length > 0 && !failed) throw new Error(`Tests left running: ${left.join(', ')}`);
  },
};
