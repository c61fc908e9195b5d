import { createRequire } from 'node:module';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type pinoPretty from 'pino-pretty';
import { oneOf } from './env.ts';

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
  readonly readable?: Readable | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Returns a line's fields as a person wants to read them; for the format `pretty`. */
export type Readable = (fields: Fields) => Fields;

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
      : pretty(options.destination ?? stdout(), options.readable);
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

function pretty(sink: DestinationStream, readable: Readable | undefined): DestinationStream {
  const prettify = createPrettifier({ readable });
  return { write: (line) => sink.write(prettify(line)) };
}

/**
 * Returns a function that makes a JSON log line readable; it returns other lines unchanged.
 *
 * @param options.withoutName leaves the process's name out
 */
export function createPrettifier({
  readable = (fields) => fields,
  withoutName = false,
}: {
  readonly readable?: Readable | undefined;
  readonly withoutName?: boolean;
}): (line: string) => string {
  const prettify = loadPretty().prettyFactory({
    singleLine: true,
    colorize: process.stdout.isTTY,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: withoutName ? 'pid,name' : 'pid',
  });
  return (line) => {
    const fields = fieldsOf(line);
    return fields === undefined ? line : prettify(readable(fields));
  };
}

function fieldsOf(line: string): Fields | undefined {
  try {
    return Object(JSON.parse(line));
  } catch {
    return undefined;
  }
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
