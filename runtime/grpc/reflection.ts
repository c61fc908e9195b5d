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
 * Tells what a server serves, to people with grpcurl. What that takes, a parser of protos and 60 ms of the event loop, is not loaded
 * before the first of them asks: every start would wait for it, and mostly for nobody.
 *
 * @param protoFiles below `proto/`; that of Health is told too
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
          // Too many open files, say. The next one who asks may have more luck.
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

/** By path. */
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
