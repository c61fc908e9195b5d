import { readFileSync } from 'node:fs';
import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const file = new URL('../proto/gen/descriptors.binpb', import.meta.url);

/** All proto files, as buf has compiled them: those of `proto/` and `examples/`, and those that they import. */
export const descriptors: FileRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(file)),
);
