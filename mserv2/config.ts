import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { count, type Env, loadEnvFile, milliseconds, parseEnv, path, readTogether } from '../runtime/env.ts';
import {
  type MicroserviceConfig,
  readMicroserviceConfig,
} from '../runtime/microservice/microservice-config.ts';
import type { IndexWorkerData } from './index-worker/messages.ts';

export interface Config extends MicroserviceConfig {
  /** Absolute path of the served folder. */
  readonly root: string;
  readonly indexer: IndexWorkerData;
}

const examples = fileURLToPath(new URL('../examples/archivos', import.meta.url));

/** Reads the configuration. Throws a `ConfigError` with all problems. */
export function readConfig(env: Env = loadEnvFile(process.env)): Config {
  const [common, values] = readTogether(
    () => readMicroserviceConfig('mserv2', 5002, env),
    () =>
      parseEnv(
        {
          MSERV2_ROOT: path.default(examples),
          MSERV2_SNAPSHOT: path.optional(),
          MSERV2_SWEEP_MS: milliseconds.default(30_000),
          MSERV2_WATCHES: count.optional(),
        },
        env,
        { aliases: { MSERV2_ROOT: ['FILES_ROOT'] }, keepEmpty: ['MSERV2_SNAPSHOT'] },
      ),
  );
  const root = resolve(values.MSERV2_ROOT);
  const { MSERV2_SNAPSHOT: snapshot = join('data', `mserv2-${nameOf(root)}.snapshot`) } = values;
  return Object.freeze({
    ...common,
    root,
    indexer: Object.freeze({
      root,
      snapshot: snapshot === '' ? undefined : resolve(snapshot),
      watches: values.MSERV2_WATCHES,
      sweepMs: values.MSERV2_SWEEP_MS,
    }),
  });
}

/** Returns a short name for a root, so that two roots have different snapshots. */
function nameOf(root: string): string {
  return createHash('sha256').update(root).digest('hex').slice(0, 16);
}
