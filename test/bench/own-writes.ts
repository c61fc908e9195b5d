/**
 * Measures how old a listing is that a client asks for right after its own write: `npm run bench:own-writes -- [writes]`.
 * Runs first on the machine as it is, then beside four processes that never rest. Prints for each how many first answers
 * lacked the write, and for how long answers lacked it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { LeanClient } from '../support/clients/lean-client.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { Servers } from './gateway/servers.ts';

const writes = Number(process.argv[2] ?? 400);
const hogs = 4;
/** Between two writes, so that each one finds a cached answer. */
const pauseMs = 20;

using files = new TemporaryFolder();
using data = new TemporaryFolder();
const servers = new Servers(data.path, files.path);
const busy: ChildProcess[] = [];

/** Returns the milliseconds after each write for which answers lacked it; 0 when the first answer had it. */
async function lacking(client: LeanClient): Promise<number[]> {
  const file = files.join('fichero');
  writeFileSync(file, '');
  const bytes = async (): Promise<number> => {
    const { body } = await client.get('/listar_archivos');
    return (JSON.parse(body) as { archivos: [{ bytes: number }] }).archivos[0].bytes;
  };
  const times: number[] = [];
  for (let size = 1; size <= writes; size++) {
    await bytes();
    await delay(pauseMs);
    appendFileSync(file, 'x');
    const writtenAt = performance.now();
    let askedAt = writtenAt;
    let lackedMs = 0;
    while ((await bytes()) < size) {
      // The first request begins at once: 0 would say that its answer had the write.
      lackedMs = Math.max(askedAt - writtenAt, 0.1);
      askedAt = performance.now();
    }
    times.push(lackedMs);
  }
  return times.sort((a, b) => a - b);
}

async function measure(name: string, client: LeanClient): Promise<void> {
  const times = await lacking(client);
  const at = (share: number): number =>
    Math.round((times[Math.ceil(share * times.length) - 1] ?? 0) * 10) / 10;
  const old = times.filter((ms) => ms > 0).length;
  const load = loadavg()[0]?.toFixed(1);
  console.log(JSON.stringify({ name, load, writes, old, p50: at(0.5), p95: at(0.95), max: at(1) }));
}

try {
  using client = new LeanClient(`http://${await servers.gateway('cached')}`, 1);
  await measure('as it is', client);
  for (let n = 0; n < hogs; n++) busy.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  await delay(1_000);
  await measure(`beside ${hogs} busy processes`, client);
} finally {
  for (const hog of busy) {
    hog.kill('SIGKILL');
    if (hog.exitCode === null && hog.signalCode === null) await once(hog, 'exit');
  }
  await servers.stop();
}
