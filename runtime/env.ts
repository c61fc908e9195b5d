import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parse } from 'dotenv';
import { z } from 'zod';

/** The names and values of an environment. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface ConfigProblem {
  /** `MSERV1_PORT` */
  readonly variable: string;
  /** `expected a port (0 to 65535), got "70000"` */
  readonly problem: string;
}

/** What is set in the environment is not acceptable; the message lists every variable that is wrong. */
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
  /** Other names that a variable has had; the first one that is set wins, its own name before all. */
  readonly aliases?: { readonly [Name in keyof S]?: readonly string[] };
  /** An empty variable is an absent one; here are those for which it says something. */
  readonly keepEmpty?: readonly (keyof S & string)[];
  /** What is wrong with several variables together. Of those that are wrong by themselves the value is undefined. */
  readonly together?: (values: Partial<Values<S>>) => readonly ConfigProblem[];
}

/**
 * Reads variables as a schema per key says. Throws one `ConfigError` with all that is wrong; gives a frozen object.
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

/** Reads several configurations of one environment. Throws one `ConfigError` with all that is wrong with any of them. */
export function readTogether<const Configs extends readonly unknown[]>(
  ...reads: { readonly [Index in keyof Configs]: () => Configs[Index] }
): Configs {
  const problems = new Map<string, ConfigProblem>();
  const configs = reads.map((read) => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // A variable that several of them read is told once.
      for (const each of error.problems) problems.set(`${each.variable}: ${each.problem}`, each);
      return undefined;
    }
  });
  if (problems.size > 0) throw new ConfigError([...problems.values()]);
  return configs as unknown as Configs;
}

/** A variable's text, checked and turned into a value. `secret` ones are not repeated in the message. */
function piece<Value>(expected: string, read: (text: string) => Value | undefined, secret = false) {
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

function wholeNumber(text: string, min: number, max: number): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** 0 lets the system choose. */
export const port = piece('a port (0 to 65535)', (text) => wholeNumber(text, 0, 65_535));

/** A whole number of things, 1 or more. */
export const count = piece('a whole number, 1 or more', (text) => wholeNumber(text, 1, 2 ** 40));

/** How much room there is; 0 is none. */
export const bytes = piece('a number of bytes, 0 or more', (text) => wholeNumber(text, 0, 2 ** 40));

/** At least 1; at most what a timer can hold (24 days). */
export const milliseconds = piece('milliseconds (1 to 2147483647)', (text) =>
  wholeNumber(text, 1, 2 ** 31 - 1),
);

export const boolean = piece('on, off, true or false', (text) => {
  const word = text.toLowerCase();
  if (word === 'on' || word === 'true') return true;
  return word === 'off' || word === 'false' ? false : undefined;
});

/** An address to bind: a name or an IP, IPv6 without brackets, without a port. */
export const host = piece('a host name or an IP address, without a port', (text) =>
  isIP(text) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text) ? text : undefined,
);

/** `RABBITMQ_URL`: absent means the usual local broker, which may be down; empty means that none is wanted. */
export const brokerUrl = piece(
  'amqp://… or amqps://…, or empty for no broker',
  (text): { url: string | undefined } | undefined => {
    if (text === '') return { url: undefined };
    return /^amqps?:\/\//.test(text) && URL.canParse(text) ? { url: text } : undefined;
  },
  true,
)
  .transform(({ url }) => url)
  .prefault('amqp://guest:guest@127.0.0.1:5672?heartbeat=5');

/** Whether only this machine can reach what is bound there. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}

/**
 * The environment together with the `.env` file, whose values yield to those that are really set. `ENV_FILE` names
 * another file than `.env` in the working directory; empty, none is read.
 */
export function loadEnvFile(env: Env): Env {
  const file = env['ENV_FILE'] ?? '.env';
  if (file === '') return env;
  try {
    return { ...parse(readFileSync(file, 'utf8')), ...env };
  } catch (error) {
    if (env['ENV_FILE'] === undefined) return env;
    throw new ConfigError([
      { variable: 'ENV_FILE', problem: `cannot be read (${(error as NodeJS.ErrnoException).code})` },
    ]);
  }
}

/** Runs what reads a process's configuration. When that is wrong, says what and ends the process with code 1. */
export function configOrExit<Config>(read: () => Config): Config {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}
