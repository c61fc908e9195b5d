import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { untilRefused } from '../harness/quiet.ts';
import type { Scenario, Stage } from '../harness/scenario.ts';
import { attach, failSyncs, hangSyncs, straceMissing, syncs } from '../harness/strace.ts';

const refusals = { refusals: true };
const badMs = 4_000;
const settleMs = 1_500;
/** Longer than anybody is left waiting for the ledger. */
const hungMs = 20_000;
const mixes = ['sqlite'] as const;

const heal = async ({ undoing }: Stage): Promise<void> => {
  for (const undo of undoing.splice(0)) await undo();
};

/** Mounts a disk of that size on a folder; gives what unmounts it. */
export function smallDisk(folder: string, megabytes: number): () => void {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  if (status !== 0) throw new Error(`No disk could be mounted on ${folder}`);
  const unmount = (): void => void spawnSync('umount', ['-l', folder]);
  // Whoever breaks a run off leaves no disk behind.
  process.once('exit', unmount);
  return () => {
    process.off('exit', unmount);
    unmount();
  };
}

/** Makes a file longer, until the disk is full. */
function fill(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(65_536));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Why no disk can be mounted here; undefined when it can. */
export function mountMissing(): string | undefined {
  return process.getuid?.() === 0 && process.platform === 'linux' ? undefined : 'a small disk takes root';
}

export const ledgerFaults: readonly Scenario[] = [
  {
    name: 'ledger-out-of-space',
    about: "the ledger's disk is full, then has room again; services' answers arrive meanwhile",
    missing: mountMissing,
    world: { prepare: (folder) => smallDisk(folder, 8) },
    expect: refusals,
    mixes,
    async fault(stage) {
      const folder = join(stage.world.ledgerFile, '..');
      const filler = join(folder, 'filler');
      stage.undoing.push(() => rmSync(filler));
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
    mixes,
    async fault(stage) {
      const other = new DatabaseSync(stage.world.ledgerFile, { timeout: 5_000 });
      other.exec('BEGIN IMMEDIATE');
      stage.undoing.push(() => {
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
    mixes,
    async fault(stage) {
      const traced = await failSyncs(stage.world.proc('gateway'));
      stage.undoing.push(() => traced.detach());
      // What was committed before the tracer had all threads may still be on its way out.
      await delay(settleMs);
      const before = stage.load.accepted;
      await delay(badMs);
      const then = stage.load.accepted;
      stage.violations.expect(then === before, `${then - before} were accepted while every fsync failed`);
    },
    heal,
  },
  {
    name: 'ledger-disk-hangs',
    about: 'each fsync of the gateway takes 20 s: new requests are refused after 10 s instead of hanging',
    missing: straceMissing,
    expect: refusals,
    mixes,
    async fault(stage) {
      const traced = await hangSyncs(stage.world.proc('gateway'), hungMs);
      stage.undoing.push(() => traced.detach());
      await untilRefused(stage);
      await delay(badMs);
    },
    async heal(stage) {
      await heal(stage);
      // It refuses until the fsync that hung has returned.
      while ((await stage.load.ask({ path: '/listar_archivos', prefer: 'respond-async' })) === undefined)
        await delay(50);
    },
  },
  {
    name: 'ledger-synced-before-202',
    about: 'strace: between two 202s of a client that asks one by one there is an fsync that succeeded',
    missing: straceMissing,
    world: { broker: false, running: ['gateway'] },
    load: { atOnce: 1 },
    // It watches an orderly gateway.
    mixes: [],
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
        stage.violations.expect(synced, `no fsync before 202 number ${promises}`);
        synced = false;
      }
      stage.violations.expect(promises === 40, `${promises} of 40 202s were seen`);
      rmSync(trace);
    },
  },
];
