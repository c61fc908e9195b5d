import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { count, type Env, loadEnvFile, parseEnv, path, readTogether } from '../runtime/env.ts';
import {
  type MicroserviceConfig,
  readMicroserviceConfig,
} from '../runtime/microservice/microservice-config.ts';

export interface Config extends MicroserviceConfig {
  /** Absolute path of the served folder. */
  readonly root: string;
  /** Maximum watched folders. */
  readonly watches: number;
}

const examples = fileURLToPath(new URL('../examples/archivos', import.meta.url));

/**
 * Reads the configuration.
 * @throws ConfigError that lists every invalid variable
 */
export function readConfig(env: Env = loadEnvFile(process.env)): Config {
  const [common, values] = readTogether(
    () => readMicroserviceConfig('mserv1', 5001, env),
    () =>
      parseEnv(
        {
          MSERV1_ROOT: path.default(examples),
          MSERV1_WATCHES: count.default(8192),
        },
        env,
        { aliases: { MSERV1_ROOT: ['FILES_ROOT'] } },
      ),
  );
  return Object.freeze({ ...common, root: resolve(values.MSERV1_ROOT), watches: values.MSERV1_WATCHES });
}
