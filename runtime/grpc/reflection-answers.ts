import {
  type DescFile,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { descriptors } from '../descriptors.ts';
import { StatusError } from '../errors.ts';
import { Status } from '../status.ts';

/** A `ServerReflectionRequest` as proto3 JSON: `host`, and one of the others. */
type Asked = {
  host?: string;
  fileByFilename?: string;
  fileContainingSymbol?: string;
  fileContainingExtension?: { containingType?: string; extensionNumber?: number };
  allExtensionNumbersOfType?: string;
  listServices?: string;
};

const requestSchema = messageOf('ServerReflectionRequest');
const responseSchema = messageOf('ServerReflectionResponse');

function messageOf(name: string): DescMessage {
  const message = descriptors.getMessage(`grpc.reflection.v1.${name}`);
  if (message === undefined) throw new Error(`No message ${name}`);
  return message;
}

/**
 * Answers an encoded `ServerReflectionRequest`. Throws `StatusError` when it cannot be decoded; any other failure is an
 * `error_response`.
 *
 * @param services full names of the services to list
 */
export function answerReflection(bytes: Uint8Array, services: readonly string[]): Buffer {
  let asked: Asked;
  try {
    asked = toJson(requestSchema, fromBinary(requestSchema, bytes)) as Asked;
  } catch (cause) {
    throw new StatusError(Status.INVALID_ARGUMENT, undefined, 'Not a ServerReflectionRequest', { cause });
  }
  let answer: JsonObject;
  try {
    answer = answerOf(asked, services);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    answer = { errorResponse: { errorCode: error.code, errorMessage: error.message } };
  }
  const response = { validHost: asked.host ?? '', originalRequest: asked, ...answer };
  return Buffer.from(toBinary(responseSchema, fromJson(responseSchema, response)));
}

function answerOf(asked: Asked, services: readonly string[]): JsonObject {
  if (asked.listServices !== undefined)
    return { listServicesResponse: { service: services.map((name) => ({ name })) } };
  if (asked.fileByFilename !== undefined)
    return files(descriptors.getFile(asked.fileByFilename), asked.fileByFilename);
  if (asked.fileContainingSymbol !== undefined)
    return files(fileOfSymbol(asked.fileContainingSymbol), asked.fileContainingSymbol);
  if (asked.fileContainingExtension !== undefined) {
    const { containingType = '', extensionNumber = 0 } = asked.fileContainingExtension;
    const extension = extensionsOf(containingType).find(({ number }) => number === extensionNumber);
    return files(extension?.file, `${containingType} ${extensionNumber}`);
  }
  if (asked.allExtensionNumbersOfType !== undefined) {
    const baseTypeName = asked.allExtensionNumbersOfType;
    const extensionNumber = extensionsOf(baseTypeName).map(({ number }) => number);
    return { allExtensionNumbersResponse: { baseTypeName, extensionNumber } };
  }
  throw new StatusError(Status.UNIMPLEMENTED, undefined, 'The request asks for nothing that is known');
}

/** Returns the answer with a file and all files that it imports. Throws NOT_FOUND for `undefined`. */
function files(file: DescFile | undefined, name: string): JsonObject {
  if (file === undefined) throw new StatusError(Status.NOT_FOUND, undefined, `Not found: ${name}`);
  const all = new Set([file]);
  // A set's iteration includes what is added meanwhile.
  for (const { dependencies } of all) for (const imported of dependencies) all.add(imported);
  const encoded = [...all].map(({ proto }) => base64Encode(toBinary(FileDescriptorProtoSchema, proto)));
  return { fileDescriptorResponse: { fileDescriptorProto: encoded } };
}

/** Finds the file that declares a message, an enum, a service, an extension, or a member of one of them. */
function fileOfSymbol(symbol: string): DescFile | undefined {
  const type = descriptors.get(symbol);
  if (type !== undefined) return type.file;
  const dot = symbol.lastIndexOf('.');
  const [scope, name] = [symbol.slice(0, Math.max(0, dot)), symbol.slice(dot + 1)];
  const parent = descriptors.get(scope);
  if (parent?.kind === 'service' && parent.methods.some((method) => method.name === name)) return parent.file;
  if (parent?.kind === 'message' && parent.members.some((member) => member.name === name)) return parent.file;
  // The scope of an enum's values is that of the enum.
  for (const each of descriptors) {
    if (each.kind !== 'enum' || !each.values.some((value) => value.name === name)) continue;
    if ((each.parent?.typeName ?? each.file.proto.package) === scope) return each.file;
  }
  return undefined;
}

/** Returns the extensions of a message. Throws NOT_FOUND for an unknown message. */
function extensionsOf(typeName: string): { readonly number: number; readonly file: DescFile }[] {
  if (descriptors.getMessage(typeName) === undefined)
    throw new StatusError(Status.NOT_FOUND, undefined, `Not found: ${typeName}`);
  return [...descriptors].flatMap((each) =>
    each.kind === 'extension' && each.extendee.typeName === typeName
      ? [{ number: each.number, file: each.file }]
      : [],
  );
}
