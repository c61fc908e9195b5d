import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Proc } from '../../support/processes/processes.ts';

/** A strace process attached to another process. */
export interface Tracer {
  /** Detaches from the process, which runs on. Does nothing when it has ended. */
  detach(): Promise<void>;
}

/** Attaches strace to all threads of a process: `attachStrace(proc, '-e', 'inject=…')`. */
export async function attachStrace({ pid }: Proc, ...options: readonly string[]): Promise<Tracer> {
  const tracer = spawn('strace', ['-f', '-p', String(pid), ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(tracer, 'exit');
  const attached = Promise.withResolvers<void>();
  let output = '';
  tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2000);
    if (output.includes('attached')) attached.resolve();
  });
  void exited.then(() => attached.reject(new Error(`strace could not attach: ${output}`)));
  await attached.promise;
  return {
    async detach() {
      tracer.kill('SIGINT');
      await exited;
    },
  };
}

/** System calls that make a commit of SQLite durable. */
export const syncs = 'fsync,fdatasync';
const withoutOutput = ['-o', '/dev/null', '-e', `trace=${syncs}`];

/** Kills the process when it enters its next fsync. */
export function killAtSync(proc: Proc): Promise<Tracer> {
  return attachStrace(proc, ...withoutOutput, '-e', `inject=${syncs}:signal=KILL`);
}

/** Stops the process with SIGSTOP when its next fsync returns, before any thread acts on it. */
export function freezeAfterSync(proc: Proc): Promise<Tracer> {
  return attachStrace(proc, ...withoutOutput, '-e', `inject=${syncs}:signal=STOP`);
}

/**
 * Delays each write into the ledger's file, as on a busy disk. A delay of the fsync would not do: after a kill before an
 * fsync the written data is still there, because the kernel has its pages.
 */
export function slowWrites(proc: Proc, ms: number): Promise<Tracer> {
  return attachStrace(
    proc,
    '-o',
    '/dev/null',
    '-e',
    'trace=pwrite64',
    '-e',
    `inject=pwrite64:delay_enter=${ms * 1000}`,
  );
}

/** Delays each fsync from now on, as on a disk that hangs. */
export function slowSyncs(proc: Proc, ms: number): Promise<Tracer> {
  return attachStrace(proc, ...withoutOutput, '-e', `inject=${syncs}:delay_enter=${ms * 1000}`);
}

/** Makes each fsync from now on fail with EIO, without syncing. */
export function failSyncs(proc: Proc): Promise<Tracer> {
  return attachStrace(proc, ...withoutOutput, '-e', `inject=${syncs}:error=EIO`);
}

/** Resolves when all threads of a process are stopped or dead. */
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
