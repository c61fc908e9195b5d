import { type Logger, stdSerializers } from 'pino';
import { adoptGrpcLog } from '../grpc/grpc-log.ts';
import { createGrpcServer, type GrpcServer } from '../grpc/server.ts';
import { type HandlersOf, type ServedMethod, servedBy } from '../handlers.ts';
import { type Part, runProcess } from '../lifecycle.ts';
import { createLogger } from '../log.ts';
import type { ServiceDefinition } from '../method.ts';
import { startTracing } from '../tracing/tracing.ts';
import type { MicroserviceConfig } from './microservice-config.ts';

/** The data behind the handlers: a folder. */
export interface DataSource {
  /** Called once, before the listeners start. */
  start?(): void;
  /** Rejects while the data is unavailable; the error's `reason` is a word of the API. */
  check(): Promise<void>;
  /** Called when no handler will read any more. */
  close(): void | Promise<void>;
}

export interface MicroserviceOptions<Definition extends ServiceDefinition> {
  readonly config: MicroserviceConfig;
  /** Definition that ts-proto generates: `ListadoServiceDefinition`. */
  readonly definition: Definition;
  readonly handlers: HandlersOf<Definition>;
  readonly source?: DataSource;
}

/** Half of the process's stop limit: listener and consumer stop one after the other. */
const graceMs = 4_000;

/**
 * Runs a microservice until it is told to stop: one list of handlers behind a gRPC listener and a queue consumer. It
 * starts without the broker and without its data.
 */
export async function runMicroservice<Definition extends ServiceDefinition>(
  options: MicroserviceOptions<Definition>,
): Promise<void> {
  const { config, definition, handlers, source } = options;
  const log = createLogger(config.log);
  adoptGrpcLog(log);
  const { methods, streams } = servedBy(definition, handlers);
  const transports: Part[] = [];
  let grpc: GrpcServer | undefined;
  if (config.grpc !== undefined) {
    grpc = createGrpcServer({
      definition,
      methods,
      streams,
      binding: config.grpc,
      tls: config.tls,
      log,
      graceMs,
    });
    transports.push(grpc);
  }
  if (config.rabbitmqUrl !== undefined) {
    transports.push(await queueConsumer(config.name, config.rabbitmqUrl, methods, log));
  }
  const { name, tracesTo: endpoint } = config;
  const tracing = endpoint === undefined ? [] : [await startTracing({ endpoint, process: name, log })];
  await runProcess({
    log,
    parts: [...tracing, ...(source === undefined ? [] : [sourcePart(source, grpc, log)]), ...transports],
    ready: () => ({ transports: transports.map((part) => part.name) }),
  });
}

/** Pause between two checks of the data source. */
const checkMs = 1_000;

/**
 * Checks the data source again and again. While it is unavailable, handlers answer UNAVAILABLE, Health says NOT_SERVING
 * with the reason, and nothing is lost.
 */
function sourcePart(source: DataSource, grpc: GrpcServer | undefined, log: Logger): Part {
  let available = true;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function check(): Promise<void> {
    try {
      await source.check();
      if (!available) log.info('root is back; answering again');
      available = true;
      grpc?.setServing(true);
    } catch (err) {
      if (stopped) return;
      const { message, reason } = stdSerializers.err(err as Error);
      if (available)
        log.warn({ reason: message }, 'root unavailable; answering UNAVAILABLE until it is back');
      available = false;
      grpc?.setServing(false, reason);
    }
    if (!stopped) timer = setTimeout(check, checkMs).unref();
  }

  return {
    name: 'source',
    async start() {
      source.start?.();
      await check();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await source.close();
    },
  };
}

/** Loads amqplib only when there is a broker. */
async function queueConsumer(
  service: string,
  url: string,
  methods: readonly ServedMethod[],
  log: Logger,
): Promise<Part> {
  const { createWorkConsumer } = await import('../amqp/work-consumer.ts');
  const consumer = createWorkConsumer({ url, service, methods, log });
  return {
    name: 'rabbitmq',
    async start() {
      consumer.start();
    },
    stop: () => consumer.stop(graceMs),
  };
}
