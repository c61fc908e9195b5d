import {
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  type Metadata,
  makeGenericClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { grpcServiceOf } from '../../../runtime/grpc/service.ts';
import type { MethodDefinition, RequestOf, ResponseOf, ServiceDefinition } from '../../../runtime/method.ts';

type Callback<Response> = (error: ServiceError | null, response: Response) => void;

interface Unary<Request, Response> {
  (request: Request, callback: Callback<Response>): ClientUnaryCall;
  (
    request: Request,
    metadata: Metadata,
    options: Partial<CallOptions>,
    callback: Callback<Response>,
  ): ClientUnaryCall;
}

type Call<Method extends MethodDefinition> = Method['responseStream'] extends false
  ? Unary<RequestOf<Method>, ResponseOf<Method>>
  : Method['requestStream'] extends false
    ? (request: RequestOf<Method>, options?: Partial<CallOptions>) => ClientReadableStream<ResponseOf<Method>>
    : () => ClientDuplexStream<RequestOf<Method>, ResponseOf<Method>>;

export type GrpcClient<Definition extends ServiceDefinition> = Client & {
  readonly [Key in keyof Definition['methods']]: Call<Definition['methods'][Key]>;
};

/** Creates a plain grpc-js client of a service; only the codecs are the product's. */
export function grpcClient<Definition extends ServiceDefinition>(
  definition: Definition,
  address: string,
  options: ClientOptions = {},
): GrpcClient<Definition> {
  const Made = makeGenericClientConstructor(grpcServiceOf(definition), definition.name);
  return new Made(address, credentials.createInsecure(), options) as unknown as GrpcClient<Definition>;
}
