import { type Logger, stdSerializers } from 'pino';
import { adoptGrpcLog } from '../grpc/grpc-log.ts';
import { createGrpcServer } from '../grpc/server.ts';
import { type HandlersOf, type ServedMethod, servedMethods, servedStreams } from '../handlers.ts';
import { type Part, runProcess } from '../lifecycle.ts';
import { createLogger } from '../log.ts';
import type { ServiceDefinition } from '../method.ts';
import { startTracing } from '../tracing/tracing.ts';
import type { MicroserviceConfig } from './microservice-config.ts';

/** The data behind the handlers: a folder. */
export interface DataSource {
  /** Rejects while the data is missing. */
  check(): Promise<void>;
  /** Called when no handler will read any more. */
  close(): void | Promise<void>;
}

export interface MicroserviceOptions<Definition extends ServiceDefinition> {
  readonly config: MicroserviceConfig;
  /** Definition that ts-proto generates: `ListadoServiceDefinition`. */
  readonly definition: Definition;
  /** Its proto file, below `proto/`: `archivos/v1/listado.proto`. */
  readonly protoFile: string;
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
  const { config, definition, protoFile, handlers, source } = options;
  const log = createLogger(config.log);
  adoptGrpcLog(log);
  const methods = servedMethods(definition, handlers);
  const transports: Part[] = [];
  if (config.grpc !== undefined) {
    transports.push(
      createGrpcServer({
        definition,
        methods,
        streams: servedStreams(definition, handlers),
        protoFiles: [protoFile],
        binding: config.grpc,
        tls: config.tls,
        log,
        graceMs,
      }),
    );
  }
  if (config.rabbitmqUrl !== undefined) {
    transports.push(await queueConsumer(config.name, config.rabbitmqUrl, methods, log));
  }
  const { name, tracesTo: endpoint } = config;
  const tracing = endpoint === undefined ? [] : [await startTracing({ endpoint, process: name })];
  await runProcess({
    log,
    parts: [...tracing, ...(source === undefined ? [] : [sourcePart(source, log)]), ...transports],
    ready: () => ({ transports: transports.map((part) => part.name) }),
  });
}

/**
 * Checks the data source. A missing source may come back; its handlers answer UNAVAILABLE meanwhile, and nothing is
 * lost.
 */
function sourcePart(source: DataSource, log: Logger): Part {
  return {
    name: 'source',
    async start() {
      await source.check().catch((err: unknown) => {
        const { message } = stdSerializers.err(err as Error);
        log.warn({ reason: message }, 'root missing; answering UNAVAILABLE until it is back');
      });
    },
    async stop() {
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
