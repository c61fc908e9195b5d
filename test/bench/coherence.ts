/**
 * Measures how stale cached answers are, with 1,000 writes and 2,000 reads per second: `npm run bench:coherence -- [seconds]`.
 * mserv1 and the gateway are real processes without an access log. Prints the counts of
 * test/support/clients/coherence.ts, and the processor time of the reads and writes themselves.
 */
import { measureCoherence } from '../support/clients/coherence.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { Servers } from './gateway/servers.ts';

const seconds = Number(process.argv[2] ?? 20);
using files = new TemporaryFolder();
using data = new TemporaryFolder();
const servers = new Servers(data.path, files.path);
try {
  const it = { root: files.path, url: `http://${await servers.gateway('cached')}` };
  const options = { ms: seconds * 1000, folders: 100, writesPerSecond: 1_000, readsPerSecond: 2_000 };
  const before = process.cpuUsage();
  const { writes, reads, ...counted } = await measureCoherence(it, options);
  const { user, system } = process.cpuUsage(before);
  const figures = { writesPerSecond: writes / seconds, readsPerSecond: reads / seconds, ...counted };
  console.log(JSON.stringify({ seconds, ...figures, clientSeconds: (user + system) / 1e6 }));
} finally {
  await servers.stop();
}
