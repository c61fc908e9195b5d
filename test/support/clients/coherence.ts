import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SetUp } from '../processes/set-up.ts';
import { untilKnown } from './freshness.ts';
import { LeanClient } from './lean-client.ts';

export interface CoherenceOptions {
  readonly ms: number;
  readonly folders: number;
  readonly writesPerSecond: number;
  readonly readsPerSecond: number;
}

/** Counts of the reads made while folders changed. */
export interface Coherence {
  readonly writes: number;
  readonly reads: number;
  readonly cached: number;
  /** Cached answers that lack a write that had returned before the request. */
  readonly stale: number;
  /** Longest time from such a write's return to the request, in milliseconds. */
  readonly stalestMs: number;
  /** Reads with `Cache-Control: no-cache`, and those of them whose answers lack such a write. */
  readonly aroundCache: number;
  readonly aroundCacheWrong: number;
  /** Folders whose answers stayed wrong after the last change. */
  readonly wrongForEver: number;
}

/** A folder with one file. Each write lengthens the file by a byte, so `bytes` in an answer counts the writes. */
interface Watched {
  readonly name: string;
  readonly file: number;
  /** Times when each write returned; the first element is the creation of the file. */
  readonly returned: number[];
}

/** Changes folders below `it.root` at one rate, and reads them over HTTP at another at the same time. */
export async function measureCoherence(
  it: Pick<SetUp, 'url' | 'root'>,
  options: CoherenceOptions,
): Promise<Coherence> {
  const { ms, writesPerSecond, readsPerSecond } = options;
  using client = new LeanClient(it.url, 64);
  const folders = Array.from({ length: options.folders }, (_, n): Watched => {
    const name = `carpeta-${n}`;
    mkdirSync(join(it.root, name));
    return { name, file: openSync(join(it.root, name, 'fichero'), 'w'), returned: [performance.now()] };
  });
  const counted = { writes: 0, reads: 0, cached: 0, stale: 0, stalestMs: 0 };
  let [aroundCache, aroundCacheWrong, wrongForEver] = [0, 0, 0];

  /** Returns the ms from the first missing write's return to the request; 0 or less when none is missing. */
  async function read({ name, returned }: Watched, fields?: string) {
    const startedAt = performance.now();
    const { status, head, body } = await client.get(`/listar_archivos?ruta=${name}`, fields);
    if (status !== 200) throw new Error(`${status}: ${body}`);
    const [{ bytes }] = (JSON.parse(body) as { archivos: [{ bytes: number }] }).archivos;
    const lackingMs = startedAt - (returned[bytes + 1] ?? startedAt);
    return { lackingMs, servedBy: /\r\nservido-por: (\w+)/i.exec(head)?.[1] };
  }

  async function readSome(folder: Watched): Promise<void> {
    counted.reads += 1;
    if (counted.reads % 20 === 0) {
      aroundCache += 1;
      const { lackingMs } = await read(folder, 'Cache-Control: no-cache\r\n');
      if (lackingMs > 0) aroundCacheWrong += 1;
      return;
    }
    const { lackingMs, servedBy } = await read(folder);
    if (servedBy !== 'cache') return;
    counted.cached += 1;
    if (lackingMs <= 0) return;
    counted.stale += 1;
    counted.stalestMs = Math.max(counted.stalestMs, lackingMs);
  }

  const some = (): Watched => folders[Math.floor(Math.random() * folders.length)] as Watched;
  const reading = new Set<Promise<void>>();
  const begin = performance.now();
  for (let now = begin; now - begin < ms; now = performance.now()) {
    while (counted.writes < ((now - begin) / 1000) * writesPerSecond) {
      const { file, returned } = some();
      writeSync(file, 'x');
      returned.push(performance.now());
      counted.writes += 1;
    }
    while (counted.reads < ((now - begin) / 1000) * readsPerSecond && reading.size < 256) {
      const one = readSome(some()).finally(() => reading.delete(one));
      reading.add(one);
    }
    await delay(1);
  }
  await Promise.all(reading);
  for (const folder of folders) {
    const end = await untilKnown(async () => {
      const { lackingMs, servedBy } = await read(folder);
      return { knows: lackingMs <= 0, fromCache: servedBy === 'cache' };
    });
    if (end !== 'known') wrongForEver += 1;
    closeSync(folder.file);
  }
  return { ...counted, aroundCache, aroundCacheWrong, wrongForEver };
}
