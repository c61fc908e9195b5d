import { loadEnvFile } from '../../runtime/env.ts';
import {
  type MicroserviceConfig,
  readMicroserviceConfig,
} from '../../runtime/microservice/microservice-config.ts';

/** `JUEGOS_HOST`, `JUEGOS_PORT`, `JUEGOS_GRPC`, and what all services share. */
export function readConfig(): MicroserviceConfig {
  return readMicroserviceConfig('juegos', 5003, loadEnvFile(process.env));
}
