import { createRequire } from 'node:module';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type pinoPretty from 'pino-pretty';
import { z } from 'zod';

export type { Logger } from 'pino';

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const formats = ['pretty', 'json'] as const;

export interface LoggerOptions {
  /** The process's name; it is in every line. */
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

/** What every process's configuration says about its log; made for `parseEnv`. */
export const logVariables = {
  LOG_LEVEL: oneOf(levels).default('info'),
  LOG_FORMAT: oneOf(formats).optional(),
};

/** Not at the top: most processes write JSON. */
function loadPretty(): typeof pinoPretty {
  return createRequire(import.meta.url)('pino-pretty');
}

/** One line per event. Written synchronously, so that a process that dies has said why. */
export function createLogger(options: LoggerOptions): Logger {
  const format = options.format ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const sink = options.destination ?? destination({ dest: 1, sync: true });
  const lines =
    format === 'json'
      ? sink
      : loadPretty()({
          destination: sink,
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
