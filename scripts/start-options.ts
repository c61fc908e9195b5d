import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readGatewayConfig } from '../gateway/config.ts';
import { services } from '../gateway/services.ts';
import { readConfig as readMserv1Config } from '../mserv1/config.ts';
import { readConfig as readMserv2Config } from '../mserv2/config.ts';
import { UsageError } from '../runtime/command-line.mjs';
import { type Env, loadEnvFile, readTogether } from '../runtime/env.ts';
import type { Binding } from '../runtime/listen-error.ts';

export const usage = `npm start [-- options]
  --root DIR    serve this folder (default: FILES_ROOT, else examples/archivos)
  --port N      the gateway's port (default: GATEWAY_PORT, else 5000)
  --watch       restart a service when its source files change (npm run dev)
  --help
Everything else is set by environment variables or .env: see .env.example.
`;

/** The options of `npm start`, for `runCommand`. */
export const startOptions = {
  root: { type: 'string' },
  port: { type: 'string' },
  watch: { type: 'boolean' },
} as const;

export interface StartOptions {
  /** Environment for all processes: process environment, `.env` and command line options. */
  readonly env: Env;
  /** Absolute path of the served folder, if the options name one. */
  readonly root: string | undefined;
  readonly rabbitmqUrl: string | undefined;
  /** Whether the URL was set, instead of being the default. */
  readonly rabbitmqWanted: boolean;
  readonly logFormat: 'pretty' | 'json';
  readonly watch: boolean;
  /** Scheme of the gateway's address. */
  readonly scheme: 'http' | 'https';
  /** The listeners that will be opened. */
  readonly bindings: {
    readonly gateway: Binding;
    /** Undefined for a service that takes requests from RabbitMQ only. */
    readonly mserv1: Binding | undefined;
    readonly mserv2: Binding | undefined;
  };
}

/**
 * Reads the options of `npm start`. A relative folder is resolved against the
 * user's directory (npm's INIT_CWD), not the repository.
 * @throws UsageError, ConfigError
 */
export function readStartOptions(
  typed: { readonly root?: string; readonly port?: string; readonly watch?: boolean },
  processEnv: Env,
): StartOptions {
  const env: Record<string, string | undefined> = { ...loadEnvFile(processEnv) };
  const root =
    typed.root === undefined ? undefined : existingFolder(typed.root, processEnv['INIT_CWD'] ?? '');
  if (root !== undefined) Object.assign(env, { MSERV1_ROOT: root, MSERV2_ROOT: root });
  if (typed.port !== undefined) env['GATEWAY_PORT'] = typed.port;

  // Validate the configuration of every process first, so that nothing starts when one of them would refuse.
  const [gateway, mserv1, mserv2] = readTogether(
    () => readGatewayConfig(env, services),
    () => readMserv1Config(env),
    () => readMserv2Config(env),
  );
  return {
    env,
    root,
    rabbitmqUrl: gateway.RABBITMQ_URL,
    rabbitmqWanted: Boolean(env['RABBITMQ_URL']),
    logFormat: gateway.LOG_FORMAT ?? 'pretty',
    watch: typed.watch ?? false,
    scheme: gateway.tls.http === undefined ? 'http' : 'https',
    bindings: {
      gateway: {
        host: gateway.GATEWAY_HOST,
        port: gateway.GATEWAY_PORT,
        hostVariable: 'GATEWAY_HOST',
        portVariable: 'GATEWAY_PORT',
      },
      mserv1: mserv1.grpc,
      mserv2: mserv2.grpc,
    },
  };
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
