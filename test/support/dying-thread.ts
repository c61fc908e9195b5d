/** A thread behind a `Lane` that dies in the middle of a call, or before it has said anything. */
import { workerData } from 'node:worker_threads';
import { serve } from '../../gateway/solicitudes/sqlite/thread.ts';

const how = workerData as 'at once' | 'throws' | 'exits';
if (how === 'at once') process.exit(1);

serve(() => ({
  hello: how,
  run: (calls) => {
    if (calls.some(({ name }) => name === 'live')) return calls.map(() => ({ ok: true, value: 'alive' }));
    if (how === 'throws') throw new Error('A defect');
    process.exit(1);
  },
  close: () => {},
}));
