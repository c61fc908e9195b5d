/**
 * Measures group commit: `node test/bench/ledger.ts [folder]`. The folder selects the disk; `postgres` instead of a folder
 * measures a private server. Accepts and reads singly and concurrently on one ledger. Ratios are to the first line. `fsync, bare` writes and syncs 4 KiB at a time.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import type { Ledger } from '../../gateway/solicitudes/ledger.ts';
import { openPostgresLedger } from '../../gateway/solicitudes/postgres/postgres-ledger.ts';
import { openSqliteLedger } from '../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { acceptance, answerOf } from '../support/ledger/ledger-calls.ts';
import { startPostgres } from '../support/servers/postgres.ts';

const seconds = 3;
const [where = tmpdir()] = process.argv.slice(2);
const postgres = where === 'postgres' ? await startPostgres() : undefined;
const folder = await mkdtemp(join(postgres ? tmpdir() : where, 'archivero-bench-'));
const bounds = { maxRows: 1e7, maxBytes: 1e10 };
const ledger = postgres
  ? await openPostgresLedger({ url: await postgres.database(), log: pino({ level: 'warn' }), ...bounds })
  : await openSqliteLedger({ path: join(folder, 'bench.db'), ...bounds });
const times: number[] = []; // durations of one line's calls, in ms
const table: Record<string, Record<string, number>> = {};
let made = 0;
let first = 0;

function note(name: string, took: number): void {
  times.sort((a, b) => a - b);
  const at = (share: number) => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(2));
  const perSecond = Math.round(times.length / (took / 1000));
  first ||= perSecond;
  table[name] = {
    'per second': perSecond,
    ratio: Number((perSecond / first).toFixed(2)),
    'median ms': at(0.5),
    'p99 ms': at(0.99),
  };
  times.length = 0;
}

async function measure(
  name: string,
  atOnce: number,
  work: () => Promise<unknown>,
  also?: () => Promise<unknown>,
) {
  const start = performance.now();
  const running = () => performance.now() - start < seconds * 1000;
  const loop = async () => {
    while (running()) {
      const began = performance.now();
      await work();
      times.push(performance.now() - began);
    }
  };
  const background = async () => {
    while (also && running()) await also();
  };
  const side = Array.from({ length: also ? 64 : 0 }, background);
  await Promise.all([...Array.from({ length: atOnce }, loop), ...side]);
  note(name, performance.now() - start);
}

const accept = (into: Ledger) => into.accept(acceptance({ id: `id-${made++}` }));
const pick = () => `id-${Math.floor(Math.random() * made)}`;

const file = openSync(join(folder, 'bare'), 'w');
const start = performance.now();
for (let at = 0; performance.now() - start < 1000; at += 4096) {
  const began = performance.now();
  writeSync(file, Buffer.alloc(4096), 0, 4096, at);
  fdatasyncSync(file);
  times.push(performance.now() - began);
}
closeSync(file);
note('fsync, bare', performance.now() - start);

first = 0;
await measure('accept, 1 at once', 1, () => accept(ledger));
for (const atOnce of [8, 64, 512]) await measure(`accept, ${atOnce} at once`, atOnce, () => accept(ledger));
let closed = 0;
const body = answerOf(Buffer.alloc(20_000, 'x'));
await measure('close with 20 kB, 64 at once', 64, () =>
  ledger.close(`id-${closed++}`, { state: 'completada', answer: body, at: 1 }),
);
await measure('get, 1 at once, idle', 1, () => ledger.get(pick()));
await measure(
  'get, 1 at once, while 64 accept',
  1,
  () => ledger.get(pick()),
  () => accept(ledger),
);
await measure(
  'probe, 1 at once, while 64 accept',
  1,
  () => ledger.probe(),
  () => accept(ledger),
);
const later = Number.MAX_SAFE_INTEGER;
await measure('claim, 100 of many', 1, () => ledger.claim('mserv1', later, later, 100));
console.table(table);
console.log(`${made} rows`);
await ledger.stop();
await postgres?.stop();
await rm(folder, { recursive: true });
