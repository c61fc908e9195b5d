import { runCommand } from '../runtime/command-line.mjs';
import { brokerUrl, configOrExit, loadEnvFile, parseEnv } from '../runtime/env.ts';
import { runProcess } from '../runtime/lifecycle.ts';
import { createLogger } from '../runtime/log.ts';
import { createLocalBroker } from './local-broker.ts';
import { brokerFailure, isRefusal } from './rabbit-node.ts';

const usage = `npm run broker
  Runs RabbitMQ with its management UI in the foreground, at RABBITMQ_URL (127.0.0.1:5672), from the installed
  rabbitmq-server or Docker.
`;

const advice = `RabbitMQ is not installed and Docker does not answer. Archivero works without RabbitMQ: the ledger keeps the requests.
To install RabbitMQ:
  Debian, Ubuntu   sudo apt-get install -y rabbitmq-server
  macOS            brew install rabbitmq
  Docker           start its engine; npm run broker does the rest
Then run again: npm run broker`;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function run(url: string): Promise<void> {
  const address = new URL(url).host;
  const whyNot = await brokerFailure(url);
  if (whyNot === undefined) {
    say(`RabbitMQ already answers at ${address}: nothing to start.`);
    return;
  }
  if (isRefusal(whyNot)) {
    say(`RabbitMQ at ${address} refuses: ${whyNot}\nnpm run doctor tells what to do.`);
    process.exitCode = 1;
    return;
  }
  const failure = new AbortController();
  const broker = await createLocalBroker(url, ['installed', 'docker'], (why) => failure.abort(why));
  if (broker === undefined) {
    say(advice);
    process.exitCode = 1;
    return;
  }
  say(`Starting RabbitMQ (${broker.origin})…`);
  const announce = {
    name: 'announcement',
    async start() {
      say(
        `RabbitMQ answers at ${address}\nmanagement UI at ${broker.managementUrl} (guest/guest)\nCtrl-C stops it`,
      );
    },
    async stop() {},
  };
  await runProcess({
    log: createLogger({ name: 'broker', level: 'warn' }),
    parts: [broker, announce],
    stopTimeoutMs: 15_000,
    failure: failure.signal,
  });
}

await runCommand({ usage }, async () => {
  const { RABBITMQ_URL: url } = configOrExit(() =>
    parseEnv({ RABBITMQ_URL: brokerUrl }, loadEnvFile(process.env), { keepEmpty: ['RABBITMQ_URL'] }),
  );
  if (url === undefined) say('RABBITMQ_URL is empty: no broker is started.');
  else await run(url);
});
