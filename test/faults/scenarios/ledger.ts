import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { readJournal } from '../harness/journal.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { attach, failSyncs, straceMissing, syncs } from '../harness/strace.ts';

const refusals = { refusals: true };
const badMs = 4_000;

/** Undoes what a fault has made; by stage, because each scenario may be played again. */
const undo = new WeakMap<Stage, () => Promise<void> | void>();
const heal = async (stage: Stage): Promise<void> => undo.get(stage)?.();

function smallDisk(folder: string): () => void {
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder]);
  return () => void spawnSync('umount', ['-l', folder]);
}

/** Makes a file longer, until the disk is full. */
function fill(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(65_536));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function mountMissing(): string | undefined {
  return process.getuid?.() === 0 && process.platform === 'linux' ? undefined : 'a small disk takes root';
}

/** Whether something was refused since then, as the journal says. */
function refusedSince({ load }: Stage, at: number): boolean {
  return readJournal(load.journal).some(({ told }) => told?.status === 503 && told.at >= at);
}

async function untilRefused(stage: Stage): Promise<void> {
  const at = Date.now();
  while (!refusedSince(stage, at)) await delay(100);
}

export const ledgerFaults: readonly Scenario[] = [
  {
    name: 'ledger-out-of-space',
    about: "the disk of the ledger is full, and has room again; services' answers come meanwhile",
    missing: mountMissing,
    world: { prepare: smallDisk },
    expect: refusals,
    async fault(stage) {
      const folder = join(stage.world.ledgerFile, '..');
      const filler = join(folder, 'filler');
      undo.set(stage, () => rmSync(filler));
      // The gateway takes some meanwhile.
      while (statfsSync(folder).bavail > 0) fill(filler);
      await untilRefused(stage);
      await delay(badMs);
    },
    heal,
  },
  {
    name: 'ledger-locked',
    about: 'another program holds a write transaction on the file of the ledger',
    expect: refusals,
    async fault(stage) {
      const other = new DatabaseSync(stage.world.ledgerFile, { timeout: 5_000 });
      other.exec('BEGIN IMMEDIATE');
      undo.set(stage, () => {
        other.exec('ROLLBACK');
        other.close();
      });
      await untilRefused(stage);
      await delay(badMs);
    },
    heal,
  },
  {
    name: 'ledger-sync-fails',
    about: 'every fsync of the gateway fails with EIO; not one 202 is sent meanwhile',
    missing: straceMissing,
    expect: refusals,
    async fault(stage) {
      const traced = await failSyncs(stage.world.proc('gateway'));
      undo.set(stage, () => traced.detach());
      // What was committed before the tracer had all threads may still be on its way out.
      await untilRefused(stage);
      const before = stage.load.accepted;
      await delay(badMs);
      const then = stage.load.accepted;
      stage.expect(then === before, `${then - before} were accepted while every fsync failed`);
    },
    heal,
  },
  {
    name: 'ledger-synced-before-202',
    about: 'strace: between two 202s of a client that asks one by one there is an fsync that succeeded',
    missing: straceMissing,
    world: { broker: false, running: ['gateway'] },
    load: { atOnce: 1 },
    async fault(stage) {
      await stage.load.pause();
      const trace = join(stage.load.journal, '..', 'trace');
      const calls = ['-y', '-s', '24', '-e', `trace=${syncs},write,writev,sendto,sendmsg`];
      const traced = await attach(stage.world.proc('gateway'), '-o', trace, ...calls);
      for (let n = 0; n < 40; n++) await stage.load.ask({ path: '/listar_archivos' });
      await traced.detach();
      let synced = false;
      let promises = 0;
      for (const line of readFileSync(trace, 'utf8').split('\n')) {
        if (/f(?:data)?sync(?:\(| resumed).*= 0$/.test(line)) synced = true;
        if (!line.includes('HTTP/1.1 202')) continue;
        promises += 1;
        stage.expect(synced, `no fsync before 202 number ${promises}`);
        synced = false;
      }
      stage.expect(promises === 40, `${promises} of 40 202s were seen`);
      rmSync(trace);
    },
  },
];
