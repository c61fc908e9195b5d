import { loadEnvFile } from '../../runtime/env.ts';
import {
  type MicroserviceConfig,
  readMicroserviceConfig,
} from '../../runtime/microservice/microservice-config.ts';

/** Reads `JUEGOS_HOST`, `JUEGOS_PORT`, `JUEGOS_GRPC` and the variables that all services share. */
export function readConfig(): MicroserviceConfig {
  return readMicroserviceConfig('juegos', 5003, loadEnvFile(process.env));
}
