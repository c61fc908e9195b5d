import type { Logger } from 'pino';
import { ConfigError } from './env.ts';
import { within } from './timeout.ts';

/** A part of a process: a listener, a consumer, a file. `stop` may be called twice, and before `start`. */
export interface Part {
  readonly name: string;
  /** Resolves when the part works; undoes itself when it fails half-way. */
  start(): Promise<void>;
  /** Finishes work in flight, within a bound of its own. */
  stop(): Promise<void>;
  /** Whether its stop left work that nothing needs and that would keep the event loop alive, such as a retry. */
  readonly abandoned?: boolean;
}

export interface ProcessOptions {
  readonly log: Logger;
  /** Parts, in the order of starting; stopped in reverse. */
  readonly parts: readonly Part[];
  /** Time limit of the whole stop. Default 10 s. */
  readonly stopTimeoutMs?: number;
  /** Returns the log fields of the message `ready`. */
  readonly ready?: () => Record<string, unknown>;
  /** Aborted when the process cannot go on. It then logs the reason and stops with exit code 1. */
  readonly failure?: AbortSignal;
}

/**
 * Ctrl-C reaches a process from its terminal and again through npm and the launcher. Signals within this time count
 * as one.
 */
const sameSignalMs = 500;
/** Once all parts have stopped, the event loop should be empty within this time. */
const drainMs = 1_000;

type Outcome = 'stop' | 'failed';

/**
 * Runs a process's parts until SIGTERM or SIGINT, then stops them and lets the event loop drain. The exit code is 0,
 * or 1 when a part failed or did not stop in time. A second signal ends the process at once. Resolves when all parts
 * have stopped.
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

  // Keeps the event loop alive while all parts wait.
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
        // A ConfigError's text says everything; a stack would not help.
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
  const abandoned = started.some((part) => part.abandoned);
  exitSoon(log, ending === 'stop' && inTime === true ? 0 : 1, abandoned);
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
  // A child of `npm start` or of a test has an IPC channel to its parent and must not outlive it.
  if (process.channel) {
    process.once('disconnect', () => {
      firstAt ??= performance.now();
      log.info('stopping: the parent process is gone');
      stop();
    });
    process.channel.unref();
  }
}

/** Stops all parts, also after one has failed; returns whether all stopped without an error. */
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

/** Lets the process end by itself unless a part abandoned work, and ends it when a leaked handle keeps it running. */
function exitSoon(log: Logger, code: number, abandoned: boolean): void {
  process.exitCode = code;
  log.info({ code }, 'stopped');
  if (abandoned) process.exit(code);
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
