import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { freePorts } from '../../../scripts/free-ports.ts';
import { findPostgres, postgresAdvice } from '../../../scripts/postgres-install.mjs';
import { registerStarted } from '../runner/leftovers.ts';

/** A private PostgreSQL server with its own data and port, removed at the end of the test run. */
export interface Postgres {
  readonly port: number;
  /** Creates an empty database, in UTF-8 unless the options of CREATE DATABASE say otherwise; returns its URL. */
  database(options?: string): Promise<string>;
  /** Runs a statement in a database. */
  query(url: string, text: string): Promise<readonly Record<string, unknown>[]>;
  /** Sends SIGKILL to the server; resolves when its backend processes have ended too. */
  kill(): Promise<void>;
  /** Kills the server if it runs, and starts it on the same data and port. Resolves when it answers. */
  restart(): Promise<void>;
  /** Sends SIGSTOP to all its processes. The kernel still accepts connections, but no query is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the server at once and removes its data. May be called twice. */
  stop(): Promise<void>;
}

const startMs = 120_000;

/** Starts a private server, in about two seconds. */
export async function startPostgres(): Promise<Postgres> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error(`PostgreSQL is not installed. To install it: ${postgresAdvice}`);
  const dir = await mkdtemp(join(tmpdir(), 'archivero-postgres-'));
  const user = serverUser();
  if (user !== undefined) chownSync(dir, user.uid, user.gid);
  const [port = 0] = await freePorts(1);
  const data = join(dir, 'data');
  const log = join(dir, 'log');
  const run = { cwd: dir, env: { PATH: process.env['PATH'], LANG: 'C.UTF-8' }, ...user };
  const options = [
    '-D',
    data,
    '-U',
    'archivero',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ];
  execFileSync(join(bin, 'initdb'), options, { ...run, stdio: ['ignore', 'ignore', 'pipe'] });

  let server: ChildProcess | undefined;
  let watchdog: ChildProcess | undefined;
  let paused: number[] = [];
  const urlOf = (database: string): string => `postgres://archivero@127.0.0.1:${port}/${database}`;

  async function query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(text)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  function launch(): ChildProcess {
    const settings = {
      port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      shared_buffers: '32MB',
      max_connections: '60',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const out = openSync(log, 'a');
    const child = spawn(join(bin ?? '', 'postgres'), ['-D', data, ...flags], {
      ...run,
      stdio: ['ignore', out, out],
      detached: true,
    });
    closeSync(out);
    // The watchdog kills the server when its pipe closes, which happens when this process ends in any way.
    watchdog = spawn('sh', ['-c', `read _; kill -QUIT ${child.pid} 2>/dev/null`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      ...user,
    });
    watchdog.stdin?.on('error', () => undefined);
    return child;
  }

  /** Starts the server, again when it exits: a killed server's shared memory is freed only with its last process. */
  async function start(): Promise<void> {
    const giveUpAt = performance.now() + startMs;
    server = launch();
    for (;;) {
      if (server.exitCode !== null || server.signalCode !== null) {
        dismissWatchdog();
        server = launch();
      }
      const answers = await query(urlOf('postgres'), 'SELECT 1').then(
        () => true,
        () => false,
      );
      if (answers && server.exitCode === null) return;
      if (performance.now() > giveUpAt) {
        throw new Error(`PostgreSQL did not start:\n${await readFile(log, 'utf8')}`);
      }
      await delay(50);
    }
  }

  function dismissWatchdog(): void {
    watchdog?.kill('SIGKILL');
    watchdog = undefined;
  }

  async function end(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
    dismissWatchdog();
    postgres.resume();
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const children = await childrenOf(server.pid);
    const exit = once(server, 'exit');
    server.kill(signal);
    await exit;
    // On a busy machine a backend may still commit a transaction.
    for (const child of children) while (await lives(child)) await delay(10);
  }

  /** Removes the shared memory that a killed server left. Its id is in postmaster.pid. */
  async function freeMemory(): Promise<void> {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    const segment = lines[6]?.trim().split(/\s+/)[1];
    if (segment !== undefined) spawnSync('ipcrm', ['-m', segment]);
  }

  const postgres: Postgres = {
    port,
    query,
    database: async (options = '') => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await query(urlOf('postgres'), `CREATE DATABASE ${name} ${options}`);
      return urlOf(name);
    },
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGKILL');
      await start();
    },
    pause: async () => {
      const pid = server?.pid ?? 0;
      process.kill(pid, 'SIGSTOP');
      paused = [pid, ...(await childrenOf(pid))];
      for (const each of paused) process.kill(each, 'SIGSTOP');
    },
    resume: () => {
      for (const each of paused.splice(0)) {
        try {
          process.kill(each, 'SIGCONT');
        } catch {
          // The process has ended meanwhile.
        }
      }
    },
    stop: async () => {
      // An immediate shutdown saves nothing and frees the shared memory.
      await end('SIGQUIT');
      await freeMemory();
      await rm(dir, { recursive: true, force: true, maxRetries: 10 });
      noteEnded();
    },
  };
  const noteEnded = registerStarted('PostgreSQL', postgres.stop);
  try {
    await start();
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return postgres;
}

async function childrenOf(pid = 0): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

/** Returns whether a process runs; an ended one may still be a zombie. */
async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(stat);
}

/** Returns the user `postgres` when this process is root, because PostgreSQL refuses to run as root. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }).trim());
  return { uid: number('-u'), gid: number('-g') };
}

let shared: Promise<Postgres> | undefined;

/** Returns the server that the run's tests share, started on the first call. Each test creates its own database. */
export function sharedPostgres(): Promise<Postgres> {
  shared ??= startPostgres();
  return shared;
}

/** Stops the shared server; called by the root hooks. */
export async function stopSharedPostgres(): Promise<void> {
  const started = shared;
  shared = undefined;
  await (await started)?.stop();
}
