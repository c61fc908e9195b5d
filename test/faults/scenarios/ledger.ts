import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { straceMissing } from '../../support/processes/strace.ts';
import type { FaultContext, Scenario } from '../harness/scenario.ts';
import { attachStrace, failSyncs, slowSyncs, syncs } from '../harness/strace.ts';
import { untilRefused } from '../harness/waits.ts';

const refusals = { refusals: true };
const badMs = 4_000;
const settleMs = 1_500;
/** Longer than the ledger's own time-out of 10 s. */
const hungMs = 20_000;
const mixes = ['sqlite'] as const;

const cleanUp = async ({ cleanups }: FaultContext): Promise<void> => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
};

/** Mounts a disk of a size on a folder; returns a function that unmounts it. */
export function smallDisk(folder: string, megabytes: number): () => void {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  if (status !== 0) throw new Error(`Could not mount a disk on ${folder}`);
  const unmount = (): void => void spawnSync('umount', ['-l', folder]);
  // An interrupted run unmounts the disk too.
  process.once('exit', unmount);
  return () => {
    process.off('exit', unmount);
    unmount();
  };
}

/** Appends to a file until the disk is full. */
function fill(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(65_536));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Returns why this machine cannot mount a disk; undefined when it can. */
export function mountMissing(): string | undefined {
  return process.getuid?.() === 0 && process.platform === 'linux'
    ? undefined
    : 'mounting a small disk needs root on Linux';
}

export const ledgerFaults: readonly Scenario[] = [
  {
    name: 'ledger-out-of-space',
    about: "the ledger's disk is full, then has room again; services' answers arrive meanwhile",
    missing: mountMissing,
    deployment: { prepare: (folder) => smallDisk(folder, 8) },
    expect: refusals,
    mixes,
    async fault(context) {
      const folder = join(context.deployment.ledgerFile, '..');
      const filler = join(folder, 'filler');
      context.cleanups.push(() => rmSync(filler));
      // The gateway writes and frees space meanwhile.
      while (statfsSync(folder).bavail > 0) fill(filler);
      await untilRefused(context);
      await delay(badMs);
    },
    repair: cleanUp,
  },
  {
    name: 'ledger-locked',
    about: "another program holds a write transaction on the ledger's file",
    expect: refusals,
    mixes,
    async fault(context) {
      const other = new DatabaseSync(context.deployment.ledgerFile, { timeout: 5_000 });
      other.exec('BEGIN IMMEDIATE');
      context.cleanups.push(() => {
        other.exec('ROLLBACK');
        other.close();
      });
      await untilRefused(context);
      await delay(badMs);
    },
    repair: cleanUp,
  },
  {
    name: 'ledger-sync-fails',
    about: 'every fsync of the gateway fails with EIO; no 202 is sent meanwhile',
    missing: straceMissing,
    expect: refusals,
    mixes,
    async fault(context) {
      const tracer = await failSyncs(context.deployment.proc('gateway'));
      context.cleanups.push(() => tracer.detach());
      // Requests committed before strace attached to all threads may still get their 202.
      await delay(settleMs);
      const before = context.load.accepted;
      await delay(badMs);
      const after = context.load.accepted;
      context.violations.expect(
        after === before,
        `${after - before} requests were accepted while every fsync failed`,
      );
    },
    repair: cleanUp,
  },
  {
    name: 'ledger-disk-hangs',
    about: 'each fsync of the gateway takes 20 s: new requests are refused after 10 s instead of hanging',
    missing: straceMissing,
    expect: refusals,
    mixes,
    async fault(context) {
      const tracer = await slowSyncs(context.deployment.proc('gateway'), hungMs);
      context.cleanups.push(() => tracer.detach());
      await untilRefused(context);
      await delay(badMs);
    },
    async repair(context) {
      await cleanUp(context);
      // The ledger refuses rows until the slow fsync has returned.
      while ((await context.load.send({ path: '/listar_archivos', prefer: 'respond-async' })) === undefined)
        await delay(50);
    },
  },
  {
    name: 'ledger-synced-before-202',
    about: 'strace: between two 202s to a sequential client there is a successful fsync',
    missing: straceMissing,
    deployment: { broker: false, running: ['gateway'] },
    load: { atOnce: 1 },
    // The strace output is only clear without other faults.
    mixes: [],
    async fault(context) {
      await context.load.pause();
      const trace = join(context.load.journal, '..', 'trace');
      const calls = ['-y', '-s', '24', '-e', `trace=${syncs},write,writev,sendto,sendmsg`];
      const tracer = await attachStrace(context.deployment.proc('gateway'), '-o', trace, ...calls);
      for (let n = 0; n < 40; n++) await context.load.send({ path: '/listar_archivos' });
      await tracer.detach();
      let synced = false;
      let promises = 0;
      for (const line of readFileSync(trace, 'utf8').split('\n')) {
        if (/f(?:data)?sync(?:\(| resumed).*= 0$/.test(line)) synced = true;
        if (!line.includes('HTTP/1.1 202')) continue;
        promises += 1;
        context.violations.expect(synced, `no fsync before 202 number ${promises}`);
        synced = false;
      }
      context.violations.expect(promises === 40, `strace showed ${promises} of 40 202s`);
      rmSync(trace);
    },
  },
];
