import { type Logger, stdSerializers } from 'pino';
import { adoptGrpcLog } from '../grpc/grpc-log.ts';
import { createGrpcServer } from '../grpc/server.ts';
import { type HandlersOf, type ServedMethod, servedMethods, servedStreams } from '../handlers.ts';
import { type Part, runProcess } from '../lifecycle.ts';
import { createLogger } from '../log.ts';
import type { ServiceDefinition } from '../method.ts';
import { startTracing } from '../tracing/tracing.ts';
import type { MicroserviceConfig } from './microservice-config.ts';

/** What the handlers read from: a folder. */
export interface DataSource {
  /** Rejects while it is not there. */
  check(): Promise<void>;
  /** Nothing is asked of it any more. */
  close(): void | Promise<void>;
}

export interface MicroserviceOptions<Definition extends ServiceDefinition> {
  readonly config: MicroserviceConfig;
  /** As ts-proto generates it: `ListadoServiceDefinition`. */
  readonly definition: Definition;
  /** Where it is declared, below `proto/`: `archivos/v1/listado.proto`. */
  readonly protoFile: string;
  readonly handlers: HandlersOf<Definition>;
  readonly source?: DataSource;
}

/** Half of the process's bound for each door; they are stopped one after the other. */
const doorGraceMs = 4_000;

/**
 * Runs a microservice until it is told to stop: one list of handlers behind two doors, gRPC and RabbitMQ. Neither the
 * broker nor the source has to be there at the start.
 */
export async function runMicroservice<Definition extends ServiceDefinition>(
  options: MicroserviceOptions<Definition>,
): Promise<void> {
  const { config, definition, protoFile, handlers, source } = options;
  const log = createLogger(config.log);
  adoptGrpcLog(log);
  const methods = servedMethods(definition, handlers);
  const doors: Part[] = [];
  if (config.grpc !== undefined) {
    doors.push(
      createGrpcServer({
        definition,
        methods,
        streams: servedStreams(definition, handlers),
        protoFiles: [protoFile],
        binding: config.grpc,
        tls: config.tls,
        log,
        graceMs: doorGraceMs,
      }),
    );
  }
  if (config.rabbitmqUrl !== undefined) {
    doors.push(await rabbitmqDoor(config.name, config.rabbitmqUrl, methods, log));
  }
  const { name, tracesTo: endpoint } = config;
  const tracing = endpoint === undefined ? [] : [await startTracing({ endpoint, process: name })];
  await runProcess({
    log,
    parts: [...tracing, ...(source === undefined ? [] : [sourcePart(source, log)]), ...doors],
    ready: () => ({ doors: doors.map((door) => door.name) }),
  });
}

/** A source that is missing may come yet: its handlers say UNAVAILABLE meanwhile, and nothing is lost. */
function sourcePart(source: DataSource, log: Logger): Part {
  return {
    name: 'source',
    async start() {
      await source.check().catch((err: unknown) => {
        const { message } = stdSerializers.err(err as Error);
        log.warn({ reason: message }, 'what is to be served is not there: UNAVAILABLE until it is');
      });
    },
    async stop() {
      await source.close();
    },
  };
}

/** amqplib is for those who want a broker. */
async function rabbitmqDoor(
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
    stop: () => consumer.stop(doorGraceMs),
  };
}
