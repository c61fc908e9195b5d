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
import { noteStarted } from '../runner/leftovers.ts';

/** A private PostgreSQL server, with its own data and port; nothing of it outlives the test run. */
export interface Postgres {
  readonly port: number;
  /** Makes an empty database; gives its URL. */
  database(): Promise<string>;
  /** Runs a statement in a database. */
  query(url: string, text: string): Promise<readonly Record<string, unknown>[]>;
  /** `kill -9` of the server; resolves when its processes for the connections have ended, too. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port, killing it first if it runs. Resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP of all its processes: connections are accepted (the kernel does) and nothing is answered. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it at once, and removes its data. May be called twice. */
  stop(): Promise<void>;
}

const startMs = 120_000;

/** Starts a server of the test's own, in about two seconds. */
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
    // It ends when the pipe to it does: with us, however we end.
    watchdog = spawn('sh', ['-c', `read _; kill -QUIT ${child.pid} 2>/dev/null`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      ...user,
    });
    watchdog.stdin?.on('error', () => undefined);
    return child;
  }

  /** The shared memory of a server that was killed is free only when the last of its processes is gone. */
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
    // On a busy machine one of them may still commit a transaction.
    for (const child of children) while (await lives(child)) await delay(10);
  }

  /** A server that was killed leaves its shared memory to the next one on its data, whose id it has written down. */
  async function freeMemory(): Promise<void> {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    const segment = lines[6]?.trim().split(/\s+/)[1];
    if (segment !== undefined) spawnSync('ipcrm', ['-m', segment]);
  }

  const postgres: Postgres = {
    port,
    query,
    database: async () => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
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
          // It has ended meanwhile.
        }
      }
    },
    stop: async () => {
      // An immediate shutdown: nothing is saved, and the shared memory is given back.
      await end('SIGQUIT');
      await freeMemory();
      await rm(dir, { recursive: true, force: true, maxRetries: 10 });
      noteEnded();
    },
  };
  const noteEnded = noteStarted('PostgreSQL', postgres.stop);
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

/** A process that has ended stays as a zombie while its parent does not ask for its end. */
async function lives(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(stat);
}

/** PostgreSQL refuses to run as root: then it is the user that its package made. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }).trim());
  return { uid: number('-u'), gid: number('-g') };
}

let shared: Promise<Postgres> | undefined;

/** The server that all tests of a run share, started when first asked for. Each uses a database of its own. */
export function sharedPostgres(): Promise<Postgres> {
  shared ??= startPostgres();
  return shared;
}

/** For the root hooks. */
export async function stopSharedPostgres(): Promise<void> {
  const started = shared;
  shared = undefined;
  await (await started)?.stop();
}
