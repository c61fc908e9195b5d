import pretty from 'pino-pretty';
import { ConfigError, type ConfigProblem } from '../runtime/env.ts';
import { type Part, runProcess } from '../runtime/lifecycle.ts';
import { type Binding, listenError } from '../runtime/listen-error.ts';
import { createLogger } from '../runtime/log.ts';
import { dialledAddress } from './dialled-address.ts';
import { assertFree } from './free-ports.ts';
import { createServiceProcess } from './service-process.ts';
import { readStartOptions, type StartOptions, UsageError, usage } from './start-options.ts';
import { createQueue } from './start-queue.ts';

// `npm start`: runs the gateway, both services and RabbitMQ in one terminal, over one folder.

const isTerminal = process.stdout.isTTY;
const prettify = pretty.prettyFactory({
  colorize: isTerminal,
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss.l',
  ignore: 'pid,name',
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * Returns a printer for a service's log lines: readable and prefixed with the service's name on a terminal, unchanged
 * elsewhere.
 */
function sayOf(name: string): (line: string) => void {
  if (!isTerminal) return say;
  return (line) => {
    for (const part of prettify(line).trimEnd().split('\n')) say(`${name.padEnd(7)} │ ${part}`);
  };
}

/** Logged by every service while our broker is still starting. The announcement says that instead. */
const noBroker = '"msg":"no connection to RabbitMQ';

function unless(quiet: () => boolean, text: string, sayLine: (line: string) => void): (line: string) => void {
  return (line) => {
    if (!quiet() || !line.includes(text)) sayLine(line);
  };
}

/** Throws one error for all taken ports, before anything is started. */
async function assertPortsFree(bindings: readonly Binding[]): Promise<void> {
  const problems: ConfigProblem[] = [];
  for (const binding of bindings) {
    await assertFree(binding.port, binding.host).catch((error: unknown) => {
      const explained = listenError(error, binding);
      if (!(explained instanceof ConfigError)) throw explained;
      problems.push(...explained.problems);
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

async function start({ env, rabbitmqUrl, bindings, scheme }: StartOptions): Promise<void> {
  await assertPortsFree(Object.values(bindings).filter((binding) => binding !== undefined));
  const failure = new AbortController();
  const onDeath = (why: Error): void => {
    say(`${why.message}: stopping the others`);
    failure.abort(why);
  };
  const service = (name: string, serviceEnv: () => NodeJS.ProcessEnv) =>
    createServiceProcess({
      name,
      env: serviceEnv,
      onLine: unless(() => queue.isStarting, noBroker, sayOf(name)),
      onDeath,
    });

  const queue = createQueue(rabbitmqUrl, say);
  const mserv1 = service('mserv1', () => env);
  const mserv2 = service('mserv2', () => env);
  const gateway = service('gateway', () => ({
    ...env,
    ...(bindings.mserv1 && { MSERV1_URL: address(bindings.mserv1, mserv1.port) }),
    ...(bindings.mserv2 && { MSERV2_URL: address(bindings.mserv2, mserv2.port) }),
  }));
  const announcement: Part = {
    name: 'announcement',
    async start() {
      say(announce(`${scheme}://${address(bindings.gateway, gateway.port)}`, queue.status));
    },
    async stop() {},
  };
  await runProcess({
    log: createLogger({ name: 'start', level: 'fatal' }),
    parts: [queue, mserv1, mserv2, gateway, announcement],
    // The parts stop one after the other, each within its own timeout.
    stopTimeoutMs: 60_000,
    failure: failure.signal,
  });
}

/** Returns a listener's address as dialled from this machine. A listener on port 0 reports its bound port. */
function address({ host, port }: Binding, boundPort: number | undefined): string {
  return dialledAddress({ host, port: boundPort ?? port });
}

function announce(url: string, queue: string): string {
  return `
Archivero answers at ${url}

  curl '${url}/listar_archivos'
  curl '${url}/buscar_archivos?nombre=informe'
  curl '${url}/salud'

queue: ${queue}
Ctrl-C stops everything.
`;
}

try {
  const options = readStartOptions(process.argv.slice(2), process.env);
  if (options === undefined) say(usage);
  else await start(options);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
  const hint = error instanceof UsageError ? `\n\n${usage}` : '\n';
  process.stderr.write(error.message + hint);
  process.exitCode = 1;
}
