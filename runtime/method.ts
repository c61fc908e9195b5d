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
  fromJson(json: unknown): Message;
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
  fromJSON(json: unknown): Message;
  toJSON(message: Message): unknown;
}

type MessageOf<Fns> = Fns extends { decode(bytes: Uint8Array): infer Message } ? Message : never;

/** The request and response types of one entry of a generated definition. */
export type RequestOf<Definition extends MethodDefinition> = MessageOf<Definition['requestType']>;
export type ResponseOf<Definition extends MethodDefinition> = MessageOf<Definition['responseType']>;

/** Makes the codec of a generated message. */
export function codec<Message>(fns: MessageFns<Message>): Codec<Message> {
  return {
    toBinary: (message) => {
      const bytes = fns.encode(message).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    fromBinary: (bytes) => fns.decode(bytes),
    toJson: (message) => fns.toJSON(message),
    fromJson: (json) => fns.fromJSON(json),
  };
}

type RpcOf<Definition extends MethodDefinition> = Rpc<RequestOf<Definition>, ResponseOf<Definition>>;

/** Returns the unary method of a generated definition by its key (`listarArchivos`). */
export function unaryMethod<Definition extends ServiceDefinition, Key extends keyof Definition['methods']>(
  definition: Definition,
  key: Key,
): RpcOf<Definition['methods'][Key]> & { readonly kind: 'unary' } {
  return methodOf(definition, key, 'unary');
}

/** Returns the method that answers one request with a stream, by its key (`recorrerArchivos`). */
export function serverStreamMethod<
  Definition extends ServiceDefinition,
  Key extends keyof Definition['methods'],
>(definition: Definition, key: Key): RpcOf<Definition['methods'][Key]> & { readonly kind: 'server-stream' } {
  return methodOf(definition, key, 'server-stream');
}

/** Returns the bidirectional method by its key (`buscarEnVivo`). */
export function bidirectionalMethod<
  Definition extends ServiceDefinition,
  Key extends keyof Definition['methods'],
>(definition: Definition, key: Key): RpcOf<Definition['methods'][Key]> & { readonly kind: 'bidirectional' } {
  return methodOf(definition, key, 'bidirectional');
}

/** Returns undefined for client streams, which are not used: many requests and one response. */
export function methodKindOf({ requestStream, responseStream }: MethodDefinition): Kind | undefined {
  if (!responseStream) return requestStream ? undefined : 'unary';
  return requestStream ? 'bidirectional' : 'server-stream';
}

function methodOf<
  Definition extends ServiceDefinition,
  Key extends keyof Definition['methods'],
  Wanted extends Kind,
>(
  definition: Definition,
  key: Key,
  kind: Wanted,
): RpcOf<Definition['methods'][Key]> & { readonly kind: Wanted } {
  const method = definition.methods[key as string];
  if (method === undefined || methodKindOf(method) !== kind) {
    throw new TypeError(`${definition.fullName} has no ${kind} method ${String(key)}`);
  }
  return {
    kind,
    service: definition.fullName,
    name: method.name,
    fullName: `${definition.fullName}/${method.name}`,
    repeatable: method.options.idempotencyLevel === 'NO_SIDE_EFFECTS',
    request: codec(method.requestType),
    response: codec(method.responseType),
  };
}
