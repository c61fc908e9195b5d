import { createRequire } from 'node:module';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type pinoPretty from 'pino-pretty';
import { z } from 'zod';

export type { Logger } from 'pino';

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const formats = ['pretty', 'json'] as const;

export interface LoggerOptions {
  /** Name of the process; part of every line. */
  readonly name: string;
  readonly level?: (typeof levels)[number] | undefined;
  /** Default: pretty on a terminal, JSON otherwise. */
  readonly format?: (typeof formats)[number] | undefined;
  /** Default: standard output. */
  readonly destination?: DestinationStream | undefined;
}

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: (issue) => `expected one of ${words.join(', ')}, got ${JSON.stringify(issue.input)}`,
  });
}

/** Variables of the log, for `parseEnv`. */
export const logVariables = {
  LOG_LEVEL: oneOf(levels).default('info'),
  LOG_FORMAT: oneOf(formats).optional(),
};

/** Loaded on demand: most processes write JSON. */
function loadPretty(): typeof pinoPretty {
  return createRequire(import.meta.url)('pino-pretty');
}

/** Creates a logger that writes one line per event before the event loop's next turn. */
export function createLogger(options: LoggerOptions): Logger {
  const format = options.format ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const stdout = () => destination({ dest: 1, sync: true });
  const lines =
    format === 'json'
      ? (options.destination ?? turnByTurn(stdout()))
      : loadPretty()({
          destination: options.destination ?? stdout(),
          sync: true,
          singleLine: true,
          colorize: process.stdout.isTTY,
          translateTime: 'SYS:HH:MM:ss.l',
          ignore: 'pid',
        });
  return pino(
    {
      level: options.level ?? 'info',
      base: { name: options.name, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    lines,
  );
}

const maxPending = 64 * 1024;

/**
 * Writes the lines of one turn together: a write per line costs a busy gateway more than the answer. Writes
 * synchronously, also at the end of the process and after an exception. A killed process loses the lines of its last
 * turn.
 */
function turnByTurn(sink: DestinationStream): DestinationStream {
  let pending = '';
  const flushSync = (): void => {
    const text = pending;
    pending = '';
    if (text !== '') sink.write(text);
  };
  process.once('exit', flushSync);
  return {
    write: (line) => {
      if (pending === '') setImmediate(flushSync);
      pending += line;
      if (pending.length > maxPending) flushSync();
    },
  };
}
