import { JuegosServiceDefinition } from '../../proto/gen/juegos/v1/juegos.ts';
import { configOrExit } from '../../runtime/env.ts';
import { runMicroservice } from '../../runtime/microservice/microservice.ts';
import { readConfig } from './config.ts';
import { handlers } from './handlers.ts';

await runMicroservice({
  config: configOrExit(readConfig),
  definition: JuegosServiceDefinition,
  handlers,
});
