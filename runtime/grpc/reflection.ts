import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, Server, ServerDuplexStream } from '@grpc/grpc-js';
import type protoLoader from '@grpc/proto-loader';
import type grpcReflection from '@grpc/reflection';
import type grpcHealthCheck from 'grpc-health-check';
import type { Logger } from 'pino';
import { Status } from '../status.ts';

type Call = ServerDuplexStream<object, object>;

interface Rpc {
  readonly method: MethodDefinition<object, object>;
  readonly handle: (call: Call) => void;
}

const protoRoot = fileURLToPath(new URL('../../proto', import.meta.url));
const paths = ['v1', 'v1alpha'].map(
  (version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

/**
 * Serves reflection, for people with grpcurl. The proto parser that it needs takes 60 ms of the event loop, so it is
 * loaded with the first request.
 *
 * @param protoFiles below `proto/`; the proto of Health is added
 */
export function addReflection(server: Server, protoFiles: readonly string[], log: Logger): void {
  let loaded: ReadonlyMap<string, Rpc> | undefined;
  const rpc = (path: string): Rpc => {
    loaded ??= loadRpcs(protoFiles);
    return loaded.get(path) as Rpc;
  };
  for (const path of paths) {
    server.register<object, object>(
      path,
      (call: Call) => {
        try {
          rpc(path).handle(call);
        } catch (err) {
          // The cause may pass, such as too many open files; the next request tries again.
          log.error({ err }, 'reflection cannot be loaded');
          call.emit('error', { code: Status.UNAVAILABLE, details: 'Reflection is not available' });
        }
      },
      (answer) => rpc(path).method.responseSerialize(answer),
      (bytes) => rpc(path).method.requestDeserialize(bytes),
      'bidi',
    );
  }
}

/** Loads the reflection methods, by path. */
function loadRpcs(protoFiles: readonly string[]): Map<string, Rpc> {
  const require = createRequire(import.meta.url);
  const { loadSync }: typeof protoLoader = require('@grpc/proto-loader');
  const { ReflectionService }: typeof grpcReflection = require('@grpc/reflection');
  const { protoPath: healthProto }: typeof grpcHealthCheck = require('grpc-health-check');
  const protos = loadSync([...protoFiles, healthProto], { includeDirs: [protoRoot], keepCase: true });
  const rpcs = new Map<string, Rpc>();
  new ReflectionService(protos).addToServer({
    addService(service, implementation) {
      for (const [name, method] of Object.entries(service)) {
        rpcs.set(method.path, { method, handle: implementation[name] as Rpc['handle'] });
      }
    },
  });
  return rpcs;
}
