import { runGateway } from './run.ts';
import { services } from './services.ts';

await runGateway(services);
