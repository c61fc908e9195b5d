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

// `npm start`: everything, in one terminal, over one folder.

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

/** A service's line: as it is for machines, for people readable and with its name before it. */
function sayOf(name: string): (line: string) => void {
  if (!isTerminal) return say;
  return (line) => {
    for (const part of prettify(line).trimEnd().split('\n')) say(`${name.padEnd(7)} │ ${part}`);
  };
}

/** What every service says of a broker that we have only begun to start; a person is told so in the announcement. */
const noBroker = '"msg":"No connection to RabbitMQ';

function unless(quiet: () => boolean, text: string, sayLine: (line: string) => void): (line: string) => void {
  return (line) => {
    if (!quiet() || !line.includes(text)) sayLine(line);
  };
}

/** Says all that is in the way before anything is started. */
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
    // Each of them bounds its own stop, and they stop one after the other.
    stopTimeoutMs: 60_000,
    failure: failure.signal,
  });
}

/** What reaches a door from this machine; the port is told by who has opened it. */
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
