import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from '../runtime/env.ts';
import type { Part } from '../runtime/lifecycle.ts';

export interface ServiceProcessOptions {
  /** `mserv1` runs `mserv1/main.ts`. */
  readonly name: string;
  /** Read when it starts. */
  readonly env: () => Env;
  /** A line of its log, JSON, or of its standard error. */
  readonly onLine: (line: string) => void;
  /** Called when it ends and nobody asked it to. */
  readonly onDeath: (why: Error) => void;
}

export interface ServiceProcess extends Part {
  /** The port that it listens on, once started; undefined when it opened none. */
  readonly port: number | undefined;
  readonly pid: number | undefined;
  /** Resolves when it has ended, however that came about: somebody is about to end it, and that is no death. */
  leave(): Promise<void>;
}

/** Longer than a service allows itself. */
const stopMs = 15_000;

/** One of our services as a child process. */
export function createServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  const { name, env, onLine, onDeath } = options;
  let child: ChildProcess | undefined;
  let port: number | undefined;
  let stopping = false;

  return {
    name,
    get port() {
      return port;
    },
    get pid() {
      return child?.pid;
    },
    async leave() {
      stopping = true;
      if (child !== undefined && child.exitCode === null && child.signalCode === null)
        await once(child, 'close');
    },
    async start() {
      const ready = Promise.withResolvers<void>();
      let isReady = false;
      // Detached, so that Ctrl-C in the terminal is for us alone, and the services stop in their order. By the channel
      // a service knows that we are gone, however that came about.
      const started = spawn(
        process.execPath,
        [fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url))],
        {
          env: { ...env(), LOG_FORMAT: 'json' },
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
          detached: true,
        },
      );
      child = started;
      const read = (line: string): void => {
        onLine(line);
        const { msg, port: bound } = parse(line);
        if (msg === 'listening' && typeof bound === 'number') port = bound;
        if (msg !== 'ready') return;
        isReady = true;
        ready.resolve();
      };
      for (const stream of [started.stdout, started.stderr]) {
        if (stream !== null) createInterface(stream).on('line', read);
      }
      started.once('close', (code, signal) => {
        const why = new Error(`${name} ended (${signal ?? `code ${code}`})`);
        if (!isReady) ready.reject(why);
        else if (!stopping) onDeath(why);
      });
      await ready.promise;
    },
    async stop() {
      stopping = true;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'close');
      child.kill('SIGTERM');
      const late = setTimeout(() => child?.kill('SIGKILL'), stopMs);
      const [code, signal] = await exit;
      clearTimeout(late);
      if (code !== 0) throw new Error(`${name} ended with ${signal ?? `code ${code}`}`);
    },
  };
}

function parse(line: string): { msg?: unknown; port?: unknown } {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
