import { runCommand } from '../runtime/command-line.mjs';
import { ConfigError, type ConfigProblem, type Env } from '../runtime/env.ts';
import { type Part, runProcess } from '../runtime/lifecycle.ts';
import { type Binding, listenError } from '../runtime/listen-error.ts';
import { createLogger } from '../runtime/log.ts';
import { dialledAddress } from './dialled-address.ts';
import { assertFree } from './free-ports.ts';
import { createRestarts } from './restarts.ts';
import { createServiceProcess, type ServiceProcess } from './service-process.ts';
import { readStartOptions, type StartOptions, startOptions, usage } from './start-options.ts';
import { createStartPrinter } from './start-printer.ts';
import { createQueue } from './start-queue.ts';

// `npm start`: runs the gateway, both services and RabbitMQ in one terminal, over one folder.

function say(text: string): void {
  process.stdout.write(`${text}\n`);
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

async function start(options: StartOptions): Promise<void> {
  const { env, bindings, scheme, watch } = options;
  await assertPortsFree(Object.values(bindings).filter((binding) => binding !== undefined));
  const queue = createQueue(options.rabbitmqUrl, options.rabbitmqWanted, say);
  let announced = false;
  const printer = createStartPrinter({
    format: options.logFormat,
    say,
    isAnnounced: () => announced,
    expectsNoBroker: () => queue.expectsNoBroker,
  });
  const failure = new AbortController();
  const onDeath = (why: Error): void => {
    say(
      `${why.message}: ${watch ? 'restarting at the next change of its source files' : 'stopping the others'}`,
    );
    if (!watch) failure.abort(why);
  };
  const service = (name: string, serviceEnv: () => Env): ServiceProcess => {
    const started = createServiceProcess({
      name,
      // A restarted service listens on its port again, also where the system has chosen it.
      env: () => ({
        ...serviceEnv(),
        ...(started.port !== undefined && { [`${name.toUpperCase()}_PORT`]: String(started.port) }),
      }),
      onLine: printer(name),
      onDeath,
    });
    return started;
  };

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
      announced = true;
      queue.startBroker();
      say(announce(`${scheme}://${address(bindings.gateway, gateway.port)}`, queue.status));
    },
    async stop() {},
  };
  await runProcess({
    log: createLogger({ name: 'start', level: 'fatal' }),
    parts: [
      queue,
      // The gateway starts last: it would find the services unreachable, and queue the first requests.
      together([mserv1, mserv2]),
      gateway,
      ...(watch ? [createRestarts([mserv1, mserv2, gateway], say)] : []),
      announcement,
    ],
    // The parts stop one after the other, each within its own timeout.
    stopTimeoutMs: 60_000,
    failure: failure.signal,
  });
}

/** Returns parts as one part, which starts and stops them at the same time. */
function together(parts: readonly Part[]): Part {
  const stop = async (): Promise<void> => void (await Promise.all(parts.map((part) => part.stop())));
  return {
    name: parts.map(({ name }) => name).join(' and '),
    async start() {
      const starts = await Promise.allSettled(parts.map((part) => part.start()));
      const failed = starts.find((started) => started.status === 'rejected');
      if (failed === undefined) return;
      await stop();
      throw failed.reason;
    },
    stop,
  };
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

await runCommand({ usage, options: startOptions }, async (values) => {
  try {
    await start(readStartOptions(values, process.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
});
