import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Env } from '../runtime/env.ts';
import type { Part } from '../runtime/lifecycle.ts';

export interface ServiceProcessOptions {
  /** `mserv1` runs `mserv1/main.ts`. */
  readonly name: string;
  /** The environment, read at each start. */
  readonly env: () => Env;
  /** Receives each line of its JSON log and of its standard error. */
  readonly onLine: (line: string) => void;
  /** Called when the process ends without `stop` or `expectExit`. */
  readonly onDeath: (why: Error) => void;
}

export interface ServiceProcess extends Part {
  /** The port that it listens on; undefined before the start and when it opened none. */
  readonly port: number | undefined;
  readonly pid: number | undefined;
  /**
   * Resolves when the process has ended. Call it before killing the process, so that the end does not count as a
   * death.
   */
  expectExit(): Promise<void>;
}

/** Longer than a service's own stop timeout. */
const stopMs = 15_000;

/** Returns a service that runs as a child process. */
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
    async expectExit() {
      stopping = true;
      if (child !== undefined && child.exitCode === null && child.signalCode === null)
        await once(child, 'close');
    },
    async start() {
      stopping = false;
      const ready = Promise.withResolvers<void>();
      const environment = env();
      const level = environment['LOG_LEVEL'] || 'info';
      let isReady = false;
      // Detached, so that Ctrl-C in the terminal reaches only this process, which stops the services in order. A
      // service notices through the IPC channel when this process is gone.
      const started = spawn(
        process.execPath,
        [fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url))],
        {
          // `ready` is logged as info. Lines below the wanted level are dropped here.
          env: {
            ...environment,
            LOG_FORMAT: 'json',
            LOG_LEVEL: severity(level) > severity('info') ? 'info' : level,
          },
          stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
          detached: true,
        },
      );
      child = started;
      const read = (line: string): void => {
        const { msg, port: bound, level: logged } = parse(line);
        if (severity(logged) >= severity(level)) onLine(line);
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

/** Returns the severity of a level. Text that is no log line, such as a stack trace, is above all. */
function severity(level: unknown): number {
  return pino.levels.values[String(level)] ?? Number.POSITIVE_INFINITY;
}

function parse(line: string): { msg?: unknown; port?: unknown; level?: unknown } {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
