/**
 * How old what the cache serves may be while a writer changes folders 1,000 times a second and clients read 2,000 times a
 * second: `npm run bench:coherence -- [seconds]`. Real mserv1 and gateway, without an access log, as in the other benchmark; prints
 * what test/support/clients/coherence.ts counts, and the processor time that reading and writing took itself.
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
