import type { ServiceDefinition as GrpcService, MethodDefinition } from '@grpc/grpc-js';
import { codec, type ServiceDefinition } from '../method.ts';

/**
 * Converts a generated definition to grpc-js's form, with codecs that do not copy encoded bytes. ts-proto could
 * generate this form too, but then every thread that knows a message would load grpc-js.
 */
export function grpcServiceOf({ fullName, methods }: ServiceDefinition): GrpcService {
  const rpcs = Object.entries(methods).map(([key, method]): [string, MethodDefinition<unknown, unknown>] => {
    const [request, response] = [codec(method.requestType), codec(method.responseType)];
    return [
      key,
      {
        path: `/${fullName}/${method.name}`,
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        requestSerialize: request.toBinary,
        requestDeserialize: request.fromBinary,
        responseSerialize: response.toBinary,
        responseDeserialize: response.fromBinary,
      },
    ];
  });
  return Object.fromEntries(rpcs);
}
