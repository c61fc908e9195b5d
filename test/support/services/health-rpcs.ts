import { fileURLToPath } from 'node:url';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';

const includeDirs = [fileURLToPath(new URL('../../../proto', import.meta.url))];

/** `grpc.health.v1.Health` with codecs of protobufjs, which are not those of the product. Enums are texts. */
export const healthService = loadSync('grpc/health/v1/health.proto', {
  includeDirs,
  enums: String,
  longs: Number,
})['grpc.health.v1.Health'] as ServiceDefinition;
