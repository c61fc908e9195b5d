import { readFileSync } from 'node:fs';
import { configOrExit, loadEnvFile } from '../runtime/env.ts';
import { adoptGrpcLog } from '../runtime/grpc/grpc-log.ts';
import { runProcess } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/log.ts';
import { readGatewayConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import type { Service } from './services.ts';
import { openSqliteLedger } from './solicitudes/sqlite/sqlite-ledger.ts';

/** Runs a gateway to these services, as the environment says, until it is told to stop. */
export async function runGateway(services: readonly Service[]): Promise<void> {
  const config = configOrExit(() => readGatewayConfig(loadEnvFile(process.env), services));
  const log = createLogger({ name: 'gateway', level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  adoptGrpcLog(log);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const ledger = await openSqliteLedger({
    path: config.LEDGER_URL,
    maxRows: config.LEDGER_MAX_ROWS,
    maxBytes: config.LEDGER_MAX_BYTES,
  }).catch((err: unknown) => {
    log.fatal({ err }, 'the ledger cannot be opened');
    process.exit(1);
  });
  await runProcess({ log, parts: await createGateway({ config, services, ledger, log, version }) });
}
