import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parse } from 'dotenv';
import { z } from 'zod';
import { isEncodedUrl } from './url-parts.ts';

/** The names and values of an environment. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface ConfigProblem {
  /** `MSERV1_PORT` */
  readonly variable: string;
  /** `expected a port (0 to 65535), got "70000"` */
  readonly problem: string;
}

/** Lists every environment variable that is missing or wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ variable, problem }) => `\n  ${variable}: ${problem}`);
    super(
      `The configuration cannot be used.${lines.join('')}\n.env.example documents every variable.`,
      options,
    );
    this.problems = problems;
  }
}

type Shape = Readonly<Record<string, z.ZodType>>;
type Values<S extends Shape> = Readonly<{ [Name in keyof S]: z.output<S[Name]> }>;

export interface ParseEnvOptions<S extends Shape> {
  /** The variables' names, where they are not the schema's keys. */
  readonly variables?: { readonly [Key in keyof S]?: string };
  /** Earlier names of a variable. Its own name is read first, then the first alias that is set. */
  readonly aliases?: { readonly [Name in keyof S]?: readonly string[] };
  /** Keys whose empty value has a meaning. Any other empty variable counts as absent. */
  readonly keepEmpty?: readonly (keyof S & string)[];
  /**
   * Returns problems that concern several variables together. A variable that is wrong by itself is undefined here.
   */
  readonly together?: (values: Partial<Values<S>>) => readonly ConfigProblem[];
}

/**
 * Reads variables by a schema per key and returns a frozen object. Throws one `ConfigError` with all problems.
 */
export function parseEnv<S extends Shape>(shape: S, env: Env, options: ParseEnvOptions<S> = {}): Values<S> {
  const values: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const [key, schema] of Object.entries(shape)) {
    const name = options.variables?.[key] ?? key;
    const names = [name, ...(options.aliases?.[key] ?? [])];
    const keepEmpty = options.keepEmpty?.includes(key) ?? false;
    const isSet = (candidate: string): boolean => {
      const value = env[candidate]?.trim();
      return value !== undefined && (keepEmpty || value !== '');
    };
    const used = names.find(isSet) ?? name;
    const parsed = schema.safeParse(isSet(used) ? env[used]?.trim() : undefined);
    if (parsed.success) {
      values[key] = parsed.data;
    } else {
      const variable = used === name ? name : `${used} (an alias of ${name})`;
      problems.push({ variable, problem: parsed.error.issues.map((issue) => issue.message).join('; ') });
    }
  }
  problems.push(...(options.together?.(values as Partial<Values<S>>) ?? []));
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as Values<S>;
}

/** Reads several configurations of one environment. Throws one `ConfigError` with the problems of all. */
export function readTogether<const Configs extends readonly unknown[]>(
  ...reads: { readonly [Index in keyof Configs]: () => Configs[Index] }
): Configs {
  const problems = new Map<string, ConfigProblem>();
  const configs = reads.map((read) => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // A variable that several configurations read is reported once.
      for (const each of error.problems) problems.set(`${each.variable}: ${each.problem}`, each);
      return undefined;
    }
  });
  if (problems.size > 0) throw new ConfigError([...problems.values()]);
  return configs as unknown as Configs;
}

/**
 * Makes a schema that checks a variable's text and converts it.
 * @param expected completes the message `expected …`
 * @param read returns undefined for a wrong text
 * @param secret keeps the text out of the message
 */
export function schemaOf<Value>(expected: string, read: (text: string) => Value | undefined, secret = false) {
  const error = (issue: { readonly input?: unknown }): string => {
    if (issue.input === undefined) return `missing; expected ${expected}`;
    return `expected ${expected}${secret ? '' : `, got ${JSON.stringify(issue.input)}`}`;
  };
  return z.string({ error }).transform((text, context): Value => {
    const value = read(text);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: error({ input: text }), input: text });
    return z.NEVER;
  });
}

/** Makes the schema of a variable that is one of some words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: (issue) => `expected one of ${words.join(', ')}, got ${JSON.stringify(issue.input)}`,
  });
}

/** Splits a list of words at commas and blanks. */
export function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** A port; 0 lets the system choose. */
export const port = schemaOf('a port (0 to 65535)', (text) => wholeNumber(text, 0, 65_535));

/** A whole number of things, 1 or more. */
export const count = schemaOf('a whole number, 1 or more', (text) => wholeNumber(text, 1, 2 ** 40));

/** A number of bytes; 0 is allowed. */
export const bytes = schemaOf('a number of bytes, 0 or more', (text) => wholeNumber(text, 0, 2 ** 40));

const msPerUnit: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds, or a duration such as `90s`, from 1 ms to the most that a timer can hold. */
export const milliseconds = schemaOf(
  'milliseconds, or a duration such as 500ms, 90s, 15m, 24h or 7d (at most 24d)',
  (text) => {
    const [, number = '', unit = 'ms'] = /^(\d+)(ms|[smhd])?$/.exec(text) ?? [];
    const value = (wholeNumber(number, 1, 2 ** 31 - 1) ?? 0) * (msPerUnit[unit] ?? 0);
    return value >= 1 && value < 2 ** 31 ? value : undefined;
  },
);

export const boolean = schemaOf('on, off, true or false', (text) => {
  const word = text.toLowerCase();
  if (word === 'on' || word === 'true') return true;
  return word === 'off' || word === 'false' ? false : undefined;
});

/** An address to bind: a name or an IP, IPv6 without brackets, without a port. */
export const host = schemaOf('a host name or an IP address, without a port', (text) =>
  isIP(text) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text) ? text : undefined,
);

/**
 * A path of a file or a folder. A URL or a `~`, which only a shell expands, would silently name a folder `file:` or `~`
 * in the working directory.
 */
export const path = schemaOf('a path such as data/x or /var/lib/x, without file: and ~', (text) =>
  isPath(text) ? text : undefined,
);

/** Returns whether a text can be meant as a path, rather than as a URL or in a shell's spelling. */
export function isPath(text: string): boolean {
  return !/^(?:file:|[a-z][a-z0-9+.-]*:\/\/|~)/i.test(text);
}

/** `RABBITMQ_URL`: absent means the usual local broker, which may be down; empty means no broker. */
export const brokerUrl = schemaOf(
  'amqp://USER:PASSWORD@HOST:PORT/VHOST?heartbeat=SECONDS or amqps://… with percent-encoded UTF-8, or empty for no broker',
  (text): { url: string | undefined } | undefined => {
    if (text === '') return { url: undefined };
    return /^amqps?:\/\//.test(text) && isEncodedUrl(text) && hasNumbers(text) ? { url: text } : undefined;
  },
  true,
)
  .transform(({ url }) => url)
  .prefault('amqp://guest:guest@127.0.0.1:5672?heartbeat=5');

/** Returns whether the parameters of a broker's URL that amqplib reads as numbers are numbers. */
function hasNumbers(url: string): boolean {
  const { searchParams } = new URL(url);
  return ['heartbeat', 'frameMax', 'channelMax'].every((name) => /^\d+$/.test(searchParams.get(name) ?? '0'));
}

/** Returns whether only this machine can reach an address. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}

/**
 * Adds the `.env` file to the environment, whose own values win. `ENV_FILE` names another file than `.env` in the
 * working directory; when it is empty, no file is read. OpenTelemetry's variables are set in `env` itself too, because its
 * SDK reads the process's environment.
 */
export function loadEnvFile(env: Env): Env {
  const file = env['ENV_FILE'] ?? '.env';
  if (file === '') return env;
  try {
    const all = { ...parse(readFileSync(file, 'utf8')), ...env };
    const telemetry = Object.entries(all).filter(([name]) => name.startsWith('OTEL_'));
    Object.assign(env, Object.fromEntries(telemetry));
    return all;
  } catch (error) {
    if (env['ENV_FILE'] === undefined) return env;
    throw new ConfigError([
      { variable: 'ENV_FILE', problem: `cannot be read (${(error as NodeJS.ErrnoException).code})` },
    ]);
  }
}

/** Reads a process's configuration. On a `ConfigError`, prints it and ends the process with code 1. */
export function configOrExit<Config>(read: () => Config): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
