/**
 * How old what the cache serves may be while a writer changes folders 1,000 times a second and clients read 2,000 times a
 * second: `npm run bench:coherence -- [seconds]`. Real mserv1 and gateway; prints what test/support/coherence.ts counts.
 */
import { measureCoherence } from '../support/coherence.ts';
import { setUp } from '../support/set-up.ts';

const seconds = Number(process.argv[2] ?? 20);
await using it = await setUp({ running: ['mserv1', 'gateway'], env: { LOG_LEVEL: 'info' } });
const options = { ms: seconds * 1000, folders: 100, writesPerSecond: 1_000, readsPerSecond: 2_000 };
const { writes, reads, ...counted } = await measureCoherence(it, options);
console.log(
  JSON.stringify({ seconds, writesPerSecond: writes / seconds, readsPerSecond: reads / seconds, ...counted }),
);
