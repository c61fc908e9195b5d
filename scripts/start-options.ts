import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brokerUrl, type Env, host, loadEnvFile, parseEnv, port } from '../runtime/env.ts';
import type { Binding } from '../runtime/listen-error.ts';

export const usage = `npm start [-- options]
  --root DIR    serve this folder (default: FILES_ROOT, else examples/archivos)
  --port N      the gateway's port (default: GATEWAY_PORT, else 5000)
  --help
Everything else is set by environment variables or .env: see .env.example.
`;

/** What the person typed is not understood; the message says what. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface StartOptions {
  /** For all that is started: the environment, `.env` and the options that were typed. */
  readonly env: Env;
  /** Absolute path of the folder, if the options name one. */
  readonly root: string | undefined;
  readonly rabbitmqUrl: string | undefined;
  /** The doors that will be opened. */
  readonly bindings: { readonly [Name in 'gateway' | 'mserv1' | 'mserv2']: Binding };
}

/**
 * Reads the options of `npm start`, or undefined when help is wanted. A relative folder is one of where the person is
 * (npm tells it as INIT_CWD), not of the repository.
 * @throws UsageError, ConfigError
 */
export function readStartOptions(args: readonly string[], processEnv: Env): StartOptions | undefined {
  const typed = parseOptions(args);
  if (typed.help) return undefined;
  const env: Record<string, string | undefined> = { ...loadEnvFile(processEnv) };
  const root =
    typed.root === undefined ? undefined : existingFolder(typed.root, processEnv['INIT_CWD'] ?? '');
  if (root !== undefined) Object.assign(env, { MSERV1_ROOT: root, MSERV2_ROOT: root });
  if (typed.port !== undefined) env['GATEWAY_PORT'] = typed.port;

  const values = parseEnv(
    {
      GATEWAY_HOST: host.default('127.0.0.1'),
      GATEWAY_PORT: port.default(5000),
      MSERV1_HOST: host.default('127.0.0.1'),
      MSERV1_PORT: port.default(5001),
      MSERV2_HOST: host.default('127.0.0.1'),
      MSERV2_PORT: port.default(5002),
      RABBITMQ_URL: brokerUrl,
    },
    env,
    {
      aliases: { MSERV1_PORT: ['MICSERVER1_PORT'], MSERV2_PORT: ['MICSERVER2_PORT'] },
      keepEmpty: ['RABBITMQ_URL'],
    },
  );
  const binding = (prefix: 'GATEWAY' | 'MSERV1' | 'MSERV2'): Binding => ({
    host: values[`${prefix}_HOST`],
    port: values[`${prefix}_PORT`],
    hostVariable: `${prefix}_HOST`,
    portVariable: `${prefix}_PORT`,
  });
  return {
    env,
    root,
    rabbitmqUrl: values.RABBITMQ_URL,
    bindings: { gateway: binding('GATEWAY'), mserv1: binding('MSERV1'), mserv2: binding('MSERV2') },
  };
}

function parseOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { root: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function existingFolder(typed: string, from: string): string {
  const folder = resolve(from, typed);
  try {
    if (typed !== '' && statSync(folder).isDirectory()) return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'ENOENT' ? `--root: there is no folder ${folder}` : `--root: ${code}: ${folder}`,
    );
  }
  throw new UsageError(`--root: ${folder} is not a folder`);
}
