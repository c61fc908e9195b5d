import { Server, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { StatusError } from '../errors.ts';
import type { ServedMethod, ServedStream } from '../handlers.ts';
import type { Part } from '../lifecycle.ts';
import { type Binding, listenError } from '../listen-error.ts';
import { maxMessageBytes, type ServiceDefinition } from '../method.ts';
import { Status } from '../status.ts';
import { within } from '../timeout.ts';
import { readTls, type TlsFiles } from '../tls.ts';
import { unaryHandler } from './call.ts';
import { createCallsInFlight } from './calls-in-flight.ts';
import { Health } from './health.ts';
import { addReflection } from './reflection.ts';
import { grpcServiceOf } from './service.ts';
import { streamHandler } from './stream.ts';

export interface GrpcServerOptions {
  /**
   * Definition that ts-proto generates (`ListadoServiceDefinition`). Its rpcs without a handler are UNIMPLEMENTED.
   */
  readonly definition: ServiceDefinition;
  readonly methods: readonly ServedMethod[];
  readonly streams?: readonly ServedStream[];
  readonly binding: Binding;
  /** Undefined: no encryption. With an authority, callers need a certificate from it. */
  readonly tls?: TlsFiles | undefined;
  readonly log: Logger;
  /** Time that calls in flight have to end when the server stops. Default 5 s. */
  readonly graceMs?: number;
}

export interface GrpcServer extends Part {
  /** The bound port; 0 before the start. */
  readonly port: number;
  /** Sets the status that Health reports, for the service and for the process. `reason`: why it is not served. */
  setServing(serving: boolean, reason?: string): void;
}

/** Time to send the last answers, after the aborts and before connections are cut. */
const lingerMs = 250;

const channelOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': -1,
  // A ping finds callers that vanished. (Pings of clients are always answered.)
  'grpc.keepalive_time_ms': 30_000,
};

/** The gRPC listener of a microservice: its rpcs, `grpc.health.v1.Health` and reflection. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { definition, methods, streams = [], binding, tls, log, graceMs = 5_000 } = options;
  const server = new Server(channelOptions);
  const health = new Health(['', definition.fullName]);
  const calls = createCallsInFlight();
  let port = 0;
  let serving = true;
  let reason: string | undefined;
  let state: 'new' | 'started' | 'stopped' = 'new';

  const showServing = (): void => health.setServing(serving && state === 'started', reason);

  const deps = { log, calls };
  const handlers = new Map<string, UntypedHandleCall>([
    ...methods.map((served) => [pathOf(served), unaryHandler(served, deps)] as const),
    ...streams.map((served) => [pathOf(served), streamHandler(served, deps)] as const),
  ]);
  const service = grpcServiceOf(definition);
  server.addService(
    service,
    Object.fromEntries(
      Object.entries(service).flatMap(([key, { path }]) => {
        const handler = handlers.get(path);
        return handler === undefined ? [] : [[key, handler]];
      }),
    ),
  );
  health.addToServer(server);
  const alsoServed = ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'];
  addReflection(server, [definition.fullName, ...alsoServed], deps);

  return {
    name: 'grpc',
    get port() {
      return port;
    },
    setServing(now, why) {
      serving = now;
      reason = why;
      showServing();
    },
    async start() {
      port = await bind(server, binding, credentialsOf(tls));
      state = 'started';
      showServing();
      log.info({ transport: 'grpc', host: binding.host, port, tls: securityOf(tls) }, 'listening');
    },
    async stop() {
      if (state !== 'started') return;
      state = 'stopped';
      showServing();
      calls.stop();
      // Refuses new calls, tells callers to go elsewhere, and closes each connection after its last call.
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      // A Health watch keeps its connection open for ever, so it does not count as a call.
      const answered = calls.ended().then(() => within(lingerMs, closed));
      await within(graceMs, Promise.race([closed, answered]));
      calls.abortAll(new StatusError(Status.UNAVAILABLE, undefined, 'The service is stopping'));
      await within(lingerMs, closed);
      // Calls that are left get CANCELLED.
      server.forceShutdown();
    },
  };
}

function pathOf({ method }: ServedMethod | ServedStream): string {
  return `/${method.fullName}`;
}

function credentialsOf(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, ca = null } = readTls(tls);
  if (cert === undefined || key === undefined) throw new TypeError('A server shows a certificate');
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], ca !== null);
}

/** Returns the log's word for the TLS settings. */
function securityOf(tls: TlsFiles | undefined): 'off' | 'on' | 'mutual' {
  if (tls === undefined) return 'off';
  return tls.ca === undefined ? 'on' : 'mutual';
}

function bind(server: Server, binding: Binding, credentials: ServerCredentials): Promise<number> {
  const host = binding.host.includes(':') ? `[${binding.host}]` : binding.host;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${binding.port}`, credentials, (error, port) => {
      if (error) reject(listenError(error, binding));
      else resolve(port);
    });
  });
}
