import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { configOrExit, isLoopback, loadEnvFile } from '../runtime/env.ts';
import { adoptGrpcLog } from '../runtime/grpc/grpc-log.ts';
import { runProcess } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/log.ts';
import { startTracing } from '../runtime/tracing/tracing.ts';
import { type GatewayConfig, readGatewayConfig } from './config.ts';
import { createGateway } from './gateway.ts';
import { readableRequest } from './http/access-log.ts';
import type { Service } from './operations/service.ts';
import type { Ledger } from './solicitudes/ledger.ts';
import { openSqliteLedger } from './solicitudes/sqlite/sqlite-ledger.ts';

/** Runs a gateway to these services, configured by the environment, until the process is told to stop. */
export async function runGateway(services: readonly Service[]): Promise<void> {
  const config = configOrExit(() => readGatewayConfig(loadEnvFile(process.env), services));
  const { LOG_LEVEL: level, LOG_FORMAT: format } = config;
  const log = createLogger({ name: 'gateway', level, format, readable: readableRequest });
  adoptGrpcLog(log);
  warnOfPlaintext(config, log);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const ledger = await openLedger(config, log).catch((err: unknown) => {
    log.fatal(err instanceof Error ? err.message : String(err));
    process.exit(1);
  });
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = config;
  const tracing =
    endpoint === undefined ? [] : [await startTracing({ endpoint, process: 'gateway', version, log })];
  const { parts } = await createGateway({ config, services, ledger, log, version });
  await runProcess({ log, parts: [...tracing, ...parts] });
}

/** Plaintext is allowed: the network may be private, or an unconfigured proxy may provide HTTPS. */
function warnOfPlaintext(config: GatewayConfig, log: Logger): void {
  const { AUTH, GATEWAY_HOST, TRUSTED_PROXIES, tls } = config;
  if (AUTH === 'none' || isLoopback(GATEWAY_HOST) || tls.http !== undefined || TRUSTED_PROXIES !== undefined)
    return;
  log.warn(
    'plaintext HTTP beyond loopback: passwords and tokens are readable on the network; set GATEWAY_TLS_CERT and GATEWAY_TLS_KEY, or TRUSTED_PROXIES to the proxy that speaks HTTPS',
  );
}

async function openLedger(config: GatewayConfig, log: Logger): Promise<Ledger> {
  const { LEDGER_URL: place, LEDGER_MAX_ROWS: maxRows, LEDGER_MAX_BYTES: maxBytes } = config;
  if (place.kind === 'sqlite') return openSqliteLedger({ path: place.path, maxRows, maxBytes });
  // Loaded only when PostgreSQL is configured.
  const { openPostgresLedger } = await import('./solicitudes/postgres/postgres-ledger.ts');
  return openPostgresLedger({ url: place.url, maxRows, maxBytes, log });
}
