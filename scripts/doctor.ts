import { styleText } from 'node:util';
import { readGatewayConfig } from '../gateway/config.ts';
import { services } from '../gateway/services.ts';
import { readConfig as readMserv1Config } from '../mserv1/config.ts';
import { readConfig as readMserv2Config } from '../mserv2/config.ts';
import { runCommand } from '../runtime/command-line.mjs';
import { ConfigError, type Env, loadEnvFile } from '../runtime/env.ts';
import type { MicroserviceConfig } from '../runtime/microservice/microservice-config.ts';
import { checkBroker } from './doctor/broker.ts';
import { checkCertificate } from './doctor/certificates.ts';
import { checkRoot } from './doctor/files.ts';
import { type Finding, fine, note, wrong } from './doctor/finding.ts';
import { checkSqlite } from './doctor/ledger.ts';
import { readLedgerId } from './doctor/ledger-id.ts';
import { checkPort, isGateway } from './doctor/ports.ts';
import { checkPostgres } from './doctor/postgres.ts';
import { checkService, isService } from './doctor/services.ts';

const usage = `npm run doctor
  Reports problems of this set-up and how to fix them. It changes nothing. The exit code is 1 when there is a problem.
`;

const signs = { fine: styleText('green', '✔'), note: styleText('yellow', '•'), wrong: styleText('red', '✘') };
let failed = false;

function report({ kind, what, todo }: Finding): void {
  process.stdout.write(`${signs[kind]} ${what}\n${todo === undefined ? '' : `    → ${todo}\n`}`);
  failed ||= kind === 'wrong';
}

/**
 * Reads a configuration; reports its problems and returns undefined when it is invalid. A problem that several
 * configurations share is reported once.
 */
const reportedProblems = new Set<string>();
function read<Config>(reader: () => Config): Config | undefined {
  try {
    return reader();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { variable, problem } of error.problems) {
      const what = `${variable}: ${problem}`;
      if (!reportedProblems.has(what))
        report(wrong(what, 'Correct it in the environment or in .env; .env.example documents it.'));
      reportedProblems.add(what);
    }
    return undefined;
  }
}

async function examine(env: Env): Promise<void> {
  const gateway = read(() => readGatewayConfig(env, services));
  const own: readonly ((MicroserviceConfig & { readonly root: string }) | undefined)[] = [
    read(() => readMserv1Config(env)),
    read(() => readMserv2Config(env)),
  ];
  if (reportedProblems.size === 0) report(fine('The configuration can be read'));

  for (const config of own) {
    if (config === undefined) continue;
    const { name, grpc, tls, root } = config;
    if (grpc === undefined) report(note(`${name}: gRPC is off; it takes requests from RabbitMQ only`));
    else report(await checkPort(name, grpc, () => isService(grpc, tls)));
    checkCertificate(name, tls).forEach(report);
    checkRoot(name, root).forEach(report);
  }
  if (gateway === undefined) return;
  const listener = {
    host: gateway.GATEWAY_HOST,
    port: gateway.GATEWAY_PORT,
    hostVariable: 'GATEWAY_HOST',
    portVariable: 'GATEWAY_PORT',
  };
  const { http, grpc } = gateway.tls;
  report(await checkPort('gateway', listener, () => isGateway(listener, http)));
  checkCertificate('gateway', http).forEach(report);
  checkCertificate('gateway, to the services', grpc).forEach(report);
  const { LEDGER_URL: ledger } = gateway;
  const kept =
    ledger.kind === 'sqlite' ? checkSqlite(ledger.path, gateway) : await checkPostgres(ledger.url, gateway);
  kept.forEach(report);
  const asked = services.map(({ name }) => checkService(name, gateway));
  (await Promise.all(asked)).flat().forEach(report);
  const ledgerId = await readLedgerId(ledger);
  const wanted = Boolean(env['RABBITMQ_URL']);
  (await checkBroker(gateway.RABBITMQ_URL, { wanted, ledgerId })).forEach(report);
}

await runCommand({ usage }, async () => {
  // The output was closed early, for example by `| head`.
  process.stdout.once('error', () => process.exit(failed ? 1 : 0));
  report(fine(`Node ${process.versions.node}, ${process.platform} ${process.arch}`));
  const env = read(() => loadEnvFile(process.env));
  if (env !== undefined) await examine(env);
  process.stdout.write(failed ? '\nSomething is wrong: see ✘ above.\n' : '\nNothing is wrong.\n');
  process.exitCode = failed ? 1 : 0;
});
