/** A thread behind a `Lane` that dies or hangs in the middle of a call, or dies before it has said anything. */
import { workerData } from 'node:worker_threads';
import { serve } from '../../gateway/solicitudes/sqlite/worker.ts';

const how = workerData as 'at once' | 'throws' | 'exits' | Int32Array;
if (how === 'at once') process.exit(1);

serve(() => ({
  hello: how,
  run: (calls) => {
    if (calls.some(({ name }) => name === 'live')) return calls.map(() => ({ ok: true, value: 'alive' }));
    if (how instanceof Int32Array) {
      // Until somebody changes it and tells.
      Atomics.wait(how, 0, 0);
      return calls.map(() => ({ ok: true, value: 'late' }));
    }
    if (how === 'throws') throw new Error('A defect');
    process.exit(1);
  },
  close: () => {},
}));
