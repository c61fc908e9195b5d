/** Size of the largest message that gRPC carries, in bytes, both ways. An answer by RabbitMQ has the same limit. */
export const maxMessageBytes = 64 * 1024 * 1024;

/**
 * An rpc as data: its names, its codecs, and whether it may be repeated. All transports (gRPC, RabbitMQ, the ledger)
 * work on this, so there is no code per rpc.
 */
interface Rpc<Request, Response> {
  /** `archivos.v1.ListadoService` */
  readonly service: string;
  /** `ListarArchivos` */
  readonly name: string;
  /** `archivos.v1.ListadoService/ListarArchivos`; with a `/` before it this is the HTTP/2 path. */
  readonly fullName: string;
  /**
   * Whether the proto has `idempotency_level = NO_SIDE_EFFECTS`: may be retried, coalesced, cached and queued.
   */
  readonly repeatable: boolean;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
}

/** One request, one response. The only kind that is queued. */
export interface Method<Request = unknown, Response = unknown> extends Rpc<Request, Response> {
  readonly kind: 'unary';
}

/** One request, many responses. */
export interface ServerStreamMethod<Request = unknown, Response = unknown> extends Rpc<Request, Response> {
  readonly kind: 'server-stream';
}

/** Requests and responses as streams, at the same time. */
export interface BidirectionalMethod<Request = unknown, Response = unknown> extends Rpc<Request, Response> {
  readonly kind: 'bidirectional';
}

export type StreamMethod<Request = unknown, Response = unknown> =
  | ServerStreamMethod<Request, Response>
  | BidirectionalMethod<Request, Response>;

type Kind = (Method | StreamMethod)['kind'];

/** Codec of a message: binary (gRPC) and proto3 JSON (RabbitMQ and the ledger). */
export interface Codec<Message> {
  toBinary(message: Message): Buffer;
  fromBinary(bytes: Uint8Array): Message;
  toJson(message: Message): unknown;
  /** Parses proto3 JSON as strictly as its specification asks. Rejects with `ProtoJsonError`. */
  parse(json: string, options?: ParseOptions): Promise<Message>;
}

export interface ParseOptions {
  /**
   * Default `ignore`, which also drops unknown names of enum values. The sender's protos may be newer, since protos only
   * gain fields.
   */
  readonly unknownFields?: 'ignore' | 'refuse';
}

/** The part of ts-proto's `generic-definitions` that is read here. */
export interface ServiceDefinition {
  readonly name: string;
  readonly fullName: string;
  readonly methods: Readonly<Record<string, MethodDefinition>>;
}

export interface MethodDefinition {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a generated codec is invariant in its message; any is what lets every one of them fit.
  readonly requestType: MessageFns<any>;
  readonly requestStream: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly responseType: MessageFns<any>;
  readonly responseStream: boolean;
  readonly options: { readonly idempotencyLevel?: string };
}

interface MessageFns<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
  /** `archivos.v1.ListarArchivosRequest` */
  readonly $type: string;
  fromJSON(json: unknown): Message;
  toJSON(message: Message): unknown;
}

type MessageOf<Fns> = Fns extends { decode(bytes: Uint8Array): infer Message } ? Message : never;

/** The request and response types of one entry of a generated definition. */
export type RequestOf<Definition extends MethodDefinition> = MessageOf<Definition['requestType']>;
export type ResponseOf<Definition extends MethodDefinition> = MessageOf<Definition['responseType']>;

let protoJson: typeof import('./proto-json.ts') | undefined;

/** Makes the codec of a generated message. */
export function codec<Message>(fns: MessageFns<Message>): Codec<Message> {
  return {
    toBinary: (message) => {
      const bytes = fns.encode(message).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    fromBinary: (bytes) => fns.decode(bytes),
    toJson: (message) => fns.toJSON(message),
    // The descriptors that it needs are loaded with the first message: few processes parse any.
    parse: async (json, { unknownFields = 'ignore' } = {}) => {
      protoJson ??= await import('./proto-json.ts');
      return fns.fromJSON(protoJson.parseProtoJson(fns.$type, json, unknownFields === 'refuse'));
    },
  };
}

/** The method of one entry of a generated definition. */
type MethodOf<Definition extends MethodDefinition> = Definition extends { responseStream: false }
  ? Method<RequestOf<Definition>, ResponseOf<Definition>>
  : Definition extends { requestStream: true }
    ? BidirectionalMethod<RequestOf<Definition>, ResponseOf<Definition>>
    : ServerStreamMethod<RequestOf<Definition>, ResponseOf<Definition>>;

/**
 * Returns a method of a generated definition by its key (`listarArchivos`).
 * @throws TypeError for an unknown key, and for a client stream, which is not used: many requests and one response
 */
export function methodOf<Definition extends ServiceDefinition, Key extends keyof Definition['methods']>(
  { fullName: service, methods }: Definition,
  key: Key,
): MethodOf<Definition['methods'][Key]> {
  const method = methods[key as string];
  const kind = method && kindOf(method);
  if (method === undefined || kind === undefined)
    throw new TypeError(`${service} has no method ${String(key)}`);
  return {
    kind,
    service,
    name: method.name,
    fullName: `${service}/${method.name}`,
    repeatable: method.options.idempotencyLevel === 'NO_SIDE_EFFECTS',
    request: codec(method.requestType),
    response: codec(method.responseType),
  } as MethodOf<Definition['methods'][Key]>;
}

function kindOf({ requestStream, responseStream }: MethodDefinition): Kind | undefined {
  if (!responseStream) return requestStream ? undefined : 'unary';
  return requestStream ? 'bidirectional' : 'server-stream';
}
