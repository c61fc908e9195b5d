import type { Logger } from 'pino';
import { ConfigError } from './env.ts';
import { within } from './timeout.ts';

/** Something that runs: a door, a consumer, a file. `stop` may be called twice, and before `start`. */
export interface Part {
  readonly name: string;
  /** Resolves when it works; undoes itself when it fails half-way. */
  start(): Promise<void>;
  /** Finishes what is in flight, within a bound of its own. */
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly log: Logger;
  /** Started in this order, stopped in the reverse one. */
  readonly parts: readonly Part[];
  /** Bound of the whole stop. Default 10 s. */
  readonly stopTimeoutMs?: number;
  /** Said once all parts have started. */
  readonly ready?: () => Record<string, unknown>;
  /** Aborted when the process cannot go on: it stops, with exit code 1. The reason is logged. */
  readonly failure?: AbortSignal;
}

/** Ctrl-C reaches a process from its terminal and again through npm and the launcher: within this it is one signal. */
const sameSignalMs = 500;
/** After the last part has stopped nothing should hold the event loop; this is how long it may take to show. */
const drainMs = 1_000;

type Outcome = 'stop' | 'failed';

/**
 * Runs a process's parts until SIGTERM or SIGINT, then stops them and lets the event loop drain: exit code 0, or 1 when
 * a part failed or did not stop in time. A second signal ends it at once. Resolves when all has stopped.
 */
export async function runProcess(options: ProcessOptions): Promise<void> {
  const { log, parts, stopTimeoutMs = 10_000, failure } = options;
  const end = Promise.withResolvers<Outcome>();
  watchSignals(log, () => end.resolve('stop'));
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'unexpected error');
    process.exit(1);
  });
  const fail = (): void => {
    log.fatal({ err: failure?.reason }, 'cannot go on');
    end.resolve('failed');
  };
  if (failure?.aborted) fail();
  failure?.addEventListener('abort', fail, { once: true });

  // Parts that are waiting for something need not hold the event loop themselves.
  const hold = setInterval(() => {}, 2 ** 31 - 1);
  const started: Part[] = [];
  let ending: Outcome | undefined;
  const ended = end.promise.then((outcome) => {
    ending = outcome;
  });
  const starting = (async (): Promise<void> => {
    for (const part of parts) {
      if (ending !== undefined) return;
      try {
        await part.start();
        started.push(part);
      } catch (err) {
        // What the configuration is to blame for is said in full by its text.
        const cause = err instanceof ConfigError ? {} : { err };
        log.fatal({ part: part.name, ...cause }, `${part.name} did not start: ${messageOf(err)}`);
        end.resolve('failed');
        return;
      }
    }
    if (ending === undefined) log.info(options.ready?.() ?? {}, 'ready');
  })();

  await ended;
  const stopping = starting.then(() => stopAll(log, started.toReversed()));
  const inTime = await within(stopTimeoutMs, stopping);
  clearInterval(hold);
  if (inTime === undefined) log.error({ stopTimeoutMs }, 'did not stop in time');
  exitSoon(log, ending === 'stop' && inTime === true ? 0 : 1);
}

function watchSignals(log: Logger, stop: () => void): void {
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals, code: number): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      log.info({ signal }, 'stopping');
      stop();
    } else if (now - firstAt > sameSignalMs) {
      log.warn({ signal }, 'second signal: ending at once');
      process.exit(128 + code);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A child of `npm start` or of a test holds this channel to whoever started it, and does not outlive it.
  if (process.channel) {
    process.once('disconnect', () => {
      firstAt ??= performance.now();
      log.info('stopping: the parent process is gone');
      stop();
    });
    process.channel.unref();
  }
}

/** Whether every part stopped without an error; one that fails does not keep the others from stopping. */
async function stopAll(log: Logger, parts: readonly Part[]): Promise<boolean> {
  let clean = true;
  for (const part of parts) {
    try {
      await part.stop();
    } catch (err) {
      clean = false;
      log.error({ err, part: part.name }, 'part did not stop cleanly');
    }
  }
  return clean;
}

/** Lets the event loop end the process by itself, and ends it when something that was leaked holds it. */
function exitSoon(log: Logger, code: number): void {
  process.exitCode = code;
  log.info({ code }, 'stopped');
  setTimeout(() => {
    log.warn({ resources: process.getActiveResourcesInfo() }, 'still held after the stop: ending');
    process.exit(code);
  }, drainMs).unref();
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof ConfigError) {
    return thrown.problems.map(({ variable, problem }) => `${variable}: ${problem}`).join('; ');
  }
  return thrown instanceof Error ? thrown.message : String(thrown);
}
