/** Ledger worker that exits, throws or hangs in the middle of a call, or exits before it is open. */
import type { LedgerProtocol } from '../../../gateway/solicitudes/sqlite/messages.ts';
import { serveWorker } from '../../../runtime/workers/worker.ts';

type How = 'at once' | 'throws' | 'exits' | Int32Array;

serveWorker<LedgerProtocol<How, How>>(() => {
  let how: How = 'exits';
  return {
    requests: {
      open(given) {
        if (given === 'at once') process.exit(1);
        how = given;
        return how;
      },
      async run(calls) {
        if (calls.some(({ name }) => name === 'live')) return calls.map(() => ({ ok: true, value: 'alive' }));
        if (how instanceof Int32Array) {
          // Hangs until the test changes the value and notifies.
          Atomics.wait(how, 0, 0);
          return calls.map(() => ({ ok: true, value: 'late' }));
        }
        if (how === 'exits') process.exit(1);
        setImmediate(() => {
          throw new Error('A defect');
        });
        return new Promise(() => {});
      },
    },
  };
});
