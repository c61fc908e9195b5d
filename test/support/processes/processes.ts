import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { registerStarted } from '../runner/leftovers.ts';

/** A line of a process's log. A line that is not JSON, such as a stack trace, is kept in `msg`. */
export interface LogLine {
  readonly level?: string;
  readonly name?: string;
  readonly msg?: string;
  readonly transport?: string;
  readonly port?: number;
  readonly requestId?: string;
  readonly [key: string]: unknown;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real process of Archivero. */
export interface Proc {
  readonly pid: number;
  /** Port in its `listening` line; throws when there is none. */
  readonly port: number;
  /** Its log so far. */
  readonly lines: readonly LogLine[];
  /** When each line was read, in milliseconds of this process's monotonic clock. */
  readonly heardAt: readonly number[];
  /** Resolves with the first matching line, past or future. Rejects when the process ends, or after two minutes. */
  waitFor(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Sends the signal and resolves when the process has ended. Default SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** Sends SIGSTOP: its sockets stay open, and no request is answered. */
  pause(): void;
  resume(): void;
  /** Sends SIGTERM; rejects unless the process ends with code 0. Does nothing after `kill`. */
  stop(): Promise<void>;
  /** Resolves when the process has ended and its whole log is in `lines`. */
  readonly exited: Promise<Exit>;
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const node = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;
/** Bound of a wait: nearly that of a test. Then a busy machine fails none, and a silent process still shows its output. */
const waitMs = 280_000;

/** Environment with free ports and no broker, and with nothing of the developer's environment or `.env`. */
const hermetic = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  TMPDIR: process.env['TMPDIR'],
  NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'],
  // Set as by `npm run mserv2`, but not under coverage: cached code is covered less exactly.
  NODE_COMPILE_CACHE: process.env['NODE_V8_COVERAGE'] ? undefined : process.env['NODE_COMPILE_CACHE'],
  ENV_FILE: '',
  LOG_FORMAT: 'json',
  GATEWAY_PORT: '0',
  MSERV1_PORT: '0',
  MSERV2_PORT: '0',
  RABBITMQ_URL: '',
  MSERV2_SNAPSHOT: '',
  // On a busy machine the default of 2 s would expire, and tests would get 202 instead of the direct answer.
  GRPC_DEADLINE_MS: '30000',
};

const living = new Set<Proc>();
process.once('exit', () => {
  for (const { pid } of living) process.kill(pid, 'SIGKILL');
});

/** Starts a process and resolves when it logs `ready`: `startProcess('mserv1/main.ts', { MSERV1_ROOT: dir })`. */
export async function startProcess(
  entry: string,
  env: Record<string, string> = {},
  uid?: number,
): Promise<Proc> {
  const proc = spawnProcess(entry, env, [], uid);
  try {
    await proc.waitFor((line) => line.msg === 'ready');
    return proc;
  } catch (error) {
    await proc.kill();
    throw error;
  }
}

/**
 * Starts a process without waiting until it is ready; for processes that are expected to fail.
 * @param uid the user that it runs as; default this process's own
 */
export function spawnProcess(
  entry: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
  uid?: number,
  [program, ...options]: readonly [string, ...string[]] = node,
): Proc {
  const child = spawn(program, [...options, entry, ...args], {
    cwd: repository,
    env: { ...hermetic, ...env },
    // The channel closes when this process ends in any way, and the child then exits.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const { pid, stdout, stderr } = child;
  if (pid === undefined) throw new Error(`${entry} could not be run`);
  child.channel?.unref();

  const lines: LogLine[] = [];
  const heardAt: number[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [stdout, stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (text) => {
      lines.push(parseLine(text));
      heardAt.push(performance.now());
      for (const listener of listeners) listener();
    });
  }
  const exited = once(child, 'close').then(([code, signal]): Exit => {
    living.delete(proc);
    noteEnded();
    return { code, signal };
  });
  let killed = false;
  const logText = (): string => lines.map((line) => JSON.stringify(line)).join('\n');

  const proc: Proc = {
    pid,
    lines,
    heardAt,
    exited,
    get port() {
      const port = lines.find((line) => line.msg === 'listening')?.port;
      if (port === undefined) throw new Error(`${entry} opened no port:\n${logText()}`);
      return port;
    },
    async waitFor(fits) {
      const found = Promise.withResolvers<LogLine>();
      const look = (): void => {
        const line = lines.find(fits);
        if (line !== undefined) found.resolve(line);
      };
      const fail = (why: string): void => found.reject(new Error(`${entry} ${why}:\n${logText()}`));
      listeners.add(look);
      look();
      const timer = setTimeout(fail, waitMs, 'did not log the awaited line');
      void exited.then(() => fail('ended without logging the awaited line'));
      try {
        return await found.promise;
      } finally {
        clearTimeout(timer);
        listeners.delete(look);
      }
    },
    kill(signal = 'SIGKILL') {
      killed = true;
      child.kill(signal);
      return exited;
    },
    pause() {
      child.kill('SIGSTOP');
    },
    resume() {
      child.kill('SIGCONT');
    },
    async stop() {
      if (killed) return;
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const { code, signal } = await exited;
      if (code !== 0) throw new Error(`${entry} ended with ${code ?? signal}:\n${logText()}`);
      const held = lines.some((line) => line.msg?.startsWith('still held after the stop'));
      if (held) throw new Error(`${entry} was held by an open handle after its stop:\n${logText()}`);
    },
  };
  living.add(proc);
  const noteEnded = registerStarted(entry, () => proc.kill());
  return proc;
}

function parseLine(text: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as LogLine;
  } catch {
    // Not a JSON log line.
  }
  return { msg: text };
}
