import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { loadEnvFile, parseEnv } from '../runtime/env.ts';
import { type MicroserviceConfig, readMicroserviceConfig } from '../runtime/microservice-config.ts';

export interface Config extends MicroserviceConfig {
  /** Absolute path of the folder that is served. */
  readonly root: string;
}

const examples = fileURLToPath(new URL('../examples/archivos', import.meta.url));

/** Throws a `ConfigError` with all that is wrong. */
export function readConfig(): Config {
  const env = loadEnvFile(process.env);
  const { MSERV2_ROOT } = parseEnv({ MSERV2_ROOT: z.string().default(examples) }, env, {
    aliases: { MSERV2_ROOT: ['FILES_ROOT'] },
  });
  return Object.freeze({ ...readMicroserviceConfig('mserv2', 5002, env), root: resolve(MSERV2_ROOT) });
}
