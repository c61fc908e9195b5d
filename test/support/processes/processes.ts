import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { noteStarted } from '../runner/leftovers.ts';

/** A line of a process's log. What is not JSON (a stack from Node, a message on stderr) is in `msg` as it was. */
export interface LogLine {
  readonly level?: string;
  readonly name?: string;
  readonly msg?: string;
  readonly door?: string;
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
  /** The port that its `listening` line tells; throws when it opened none. */
  readonly port: number;
  /** All that it has said so far. */
  readonly lines: readonly LogLine[];
  /** When each of them was heard, milliseconds of this process's monotonic clock. */
  readonly heardAt: readonly number[];
  /** The first line, said already or still to come, that fits. Rejects when the process ends without it, or after two minutes. */
  waitFor(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Sends the signal and resolves when the process has ended. Default SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** SIGSTOP: its sockets stay, and nobody answers. */
  pause(): void;
  resume(): void;
  /** SIGTERM; rejects unless it ends with code 0, by itself. Does nothing when the test has killed it. */
  stop(): Promise<void>;
  /** Resolves when it has ended and all it said is in `lines`. */
  readonly exited: Promise<Exit>;
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));
/** Only ends a wait for what never comes; on a busy machine a process needs many times as long as on an idle one. */
const waitMs = 120_000;

/** Free ports, no broker, and nothing from the developer's environment or `.env`. */
const hermetic = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  TMPDIR: process.env['TMPDIR'],
  NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'],
  // What `npm run mserv2` gives its program. What comes from that cache is covered less exactly.
  NODE_COMPILE_CACHE: process.env['NODE_V8_COVERAGE'] ? undefined : process.env['NODE_COMPILE_CACHE'],
  ENV_FILE: '',
  LOG_FORMAT: 'json',
  GATEWAY_PORT: '0',
  MSERV1_PORT: '0',
  MSERV2_PORT: '0',
  RABBITMQ_URL: '',
  MSERV2_SNAPSHOT: '',
  // On a busy machine 2 s are not enough, and a 202 would come where a test wants the direct answer.
  GRPC_DEADLINE_MS: '30000',
};

const living = new Set<Proc>();
process.once('exit', () => {
  for (const { pid } of living) process.kill(pid, 'SIGKILL');
});

/** Starts a process and resolves once it is ready: `startProcess('mserv1/main.ts', { MSERV1_ROOT: dir })`. */
export async function startProcess(entry: string, env: Record<string, string> = {}): Promise<Proc> {
  const proc = spawnProcess(entry, env);
  try {
    await proc.waitFor((line) => line.msg === 'ready');
    return proc;
  } catch (error) {
    await proc.kill();
    throw error;
  }
}

/** Starts a process and does not wait for it; for those that are meant to fail. */
export function spawnProcess(
  entry: string,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Proc {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...args], {
    cwd: repository,
    env: { ...hermetic, ...env },
    // Through the channel it notices when this process is gone, however that ended.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
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
  const told = (): string => lines.map((line) => JSON.stringify(line)).join('\n');

  const proc: Proc = {
    pid,
    lines,
    heardAt,
    exited,
    get port() {
      const port = lines.find((line) => line.msg === 'listening')?.port;
      if (port === undefined) throw new Error(`${entry} listens nowhere:\n${told()}`);
      return port;
    },
    async waitFor(fits) {
      const found = Promise.withResolvers<LogLine>();
      const look = (): void => {
        const line = lines.find(fits);
        if (line !== undefined) found.resolve(line);
      };
      const fail = (why: string): void => found.reject(new Error(`${entry} ${why}:\n${told()}`));
      listeners.add(look);
      look();
      const timer = setTimeout(fail, waitMs, 'did not say what was waited for');
      void exited.then(() => fail('ended without saying what was waited for'));
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
      if (code !== 0) throw new Error(`${entry} ended with ${code ?? signal}:\n${told()}`);
      const held = lines.some((line) => line.msg?.startsWith('still held after the stop'));
      if (held) throw new Error(`${entry} had to be ended, something held it:\n${told()}`);
    },
  };
  living.add(proc);
  const noteEnded = noteStarted(entry, () => proc.kill());
  return proc;
}

function parseLine(text: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as LogLine;
  } catch {
    // Not a line of the log.
  }
  return { msg: text };
}
