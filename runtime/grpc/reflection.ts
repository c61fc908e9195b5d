import type { Server } from '@grpc/grpc-js';
import type { CallDeps } from './call.ts';
import { streamHandler } from './stream.ts';

/** Both versions have the same messages. */
const methods = ['v1', 'v1alpha'].map(
  (version) => `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
);

/**
 * Serves reflection, for clients such as grpcurl: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md.
 * Descriptors are loaded with the first request, because they would slow every start.
 *
 * @param services full names of the services to list
 */
export function addReflection(server: Server, services: readonly string[], deps: CallDeps): void {
  const handle = async function* (requests: unknown) {
    const { answerReflection } = await import('./reflection-answers.ts');
    for await (const request of requests as AsyncIterable<Buffer>) yield answerReflection(request, services);
  };
  const asIs = (bytes: Buffer): Buffer => bytes;
  for (const fullName of methods)
    server.register(
      `/${fullName}`,
      streamHandler({ method: { fullName }, handle }, deps),
      asIs,
      asIs,
      'bidi',
    );
}
