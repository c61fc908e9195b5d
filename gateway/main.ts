import { runCommand } from '../runtime/command-line.mjs';
import { runGateway } from './run.ts';
import { services } from './services.ts';

const usage = `npm run gateway
  Answers HTTP at GATEWAY_HOST and GATEWAY_PORT (127.0.0.1:5000), by calling mserv1 and mserv2.
Everything is set by environment variables or .env: see .env.example.
`;

await runCommand({ usage }, () => runGateway(services));
