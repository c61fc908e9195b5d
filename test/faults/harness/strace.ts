import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Proc } from '../../support/processes/processes.ts';

/** A process under strace. */
export interface Traced {
  /** Lets go of it; it runs on as before. Does nothing when it has ended. */
  detach(): Promise<void>;
}

/** Attaches to all threads of a running process, and resolves once it has: `attach(proc, '-e', 'inject=…')`. */
export async function attach({ pid }: Proc, ...options: readonly string[]): Promise<Traced> {
  const tracer = spawn('strace', ['-f', '-p', String(pid), ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(tracer, 'exit');
  const attached = Promise.withResolvers<void>();
  let said = '';
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
    if (said.includes('attached')) attached.resolve();
  });
  void exited.then(() => attached.reject(new Error(`strace could not attach: ${said}`)));
  await attached.promise;
  return {
    async detach() {
      tracer.kill('SIGINT');
      await exited;
    },
  };
}

/** What makes SQLite's commit durable. */
export const syncs = 'fsync,fdatasync';
const quietly = ['-o', '/dev/null', '-e', `trace=${syncs}`];

/** Sets a trap: SIGKILL as it enters its next fsync. */
export function dieAtSync(proc: Proc): Promise<Traced> {
  return attach(proc, ...quietly, '-e', `inject=${syncs}:signal=KILL`);
}

/** Sets a trap: SIGSTOP as its next fsync returns, before any thread learns of it. */
export function freezeAfterSync(proc: Proc): Promise<Traced> {
  return attach(proc, ...quietly, '-e', `inject=${syncs}:signal=STOP`);
}

/**
 * Sets a trap: its next writes into the ledger's file take that long, as on a disk that is busy. What is killed before an
 * fsync would be found again: the system has the pages.
 */
export function stallWrites(proc: Proc, ms: number): Promise<Traced> {
  return attach(
    proc,
    '-o',
    '/dev/null',
    '-e',
    'trace=pwrite64',
    '-e',
    `inject=pwrite64:delay_enter=${ms * 1000}`,
  );
}

/** From now on each of its fsyncs takes that long, as on a disk that hangs. */
export function hangSyncs(proc: Proc, ms: number): Promise<Traced> {
  return attach(proc, ...quietly, '-e', `inject=${syncs}:delay_enter=${ms * 1000}`);
}

/** From now on its fsyncs fail with EIO, and are not made. */
export function failSyncs(proc: Proc): Promise<Traced> {
  return attach(proc, ...quietly, '-e', `inject=${syncs}:error=EIO`);
}

/** Resolves when no thread of a process runs any more: it is stopped, or dead. */
export async function untilFrozen({ pid }: Proc): Promise<void> {
  while (statesOf(pid).some((state) => state !== 'T' && state !== 't')) await delay(10);
}

function statesOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(
      (task) => readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8').split(') ')[1]?.[0] ?? '',
    );
  } catch {
    return [];
  }
}

/** Why strace cannot be used here; undefined when it can. */
export function straceMissing(): string | undefined {
  const { status } = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']);
  return status === 0 ? undefined : 'strace is not installed, or may not trace here';
}
