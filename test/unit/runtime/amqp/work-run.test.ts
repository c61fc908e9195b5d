import { expect } from 'chai';
import pino from 'pino';
import { type RunOptions, runWork } from '../../../../runtime/amqp/work-run.ts';
import { Status } from '../../../../runtime/status.ts';

describe('the run of a queued request', () => {
  it('ends as CANCELLED without calling the handler when the process is stopping', async () => {
    let begun = false;
    const methods = new Map([
      [
        'x',
        {
          method: { request: { parse: async () => ({}) } },
          handle: () => {
            begun = true;
            return new Promise(() => undefined);
          },
        },
      ],
    ]) as unknown as RunOptions['methods'];
    const work = { type: 'x', request: '{}', requestId: 'r' } as Parameters<typeof runWork>[0];
    const log = pino({ enabled: false });
    const outcome = await runWork(work, { methods, timeoutMs: 200, signal: AbortSignal.abort(), log });
    expect(outcome).to.include({ kind: 'status', code: Status.CANCELLED });
    expect(begun).to.equal(false);
  });
});
