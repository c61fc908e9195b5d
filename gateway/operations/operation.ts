import type * as z from 'zod';
import type { BidirectionalMethod, Method, ServerStreamMethod } from '../../runtime/method.ts';
import type { Vigencia } from '../calls/feed-session.ts';
import type { Idioma } from '../http/texts.ts';

/** How an answer is written. Both are `application/json`. */
export type Formato = 'json' | 'nombres';

/** What a client may ask for: an answer, or all of it as a stream of lines, which is never kept. */
export type Pedido = Formato | 'ndjson';

/**
 * All that an answer's bytes depend on besides the verdict. It is kept in the ledger with the request, so that a
 * stored answer is rendered exactly as the direct one would have been.
 */
export interface View {
  /** Path and query as the client wrote them: `/v1/listar_archivos?ruta=2026`. */
  readonly target: string;
  readonly formato: Formato;
  readonly idioma: Idioma;
}

/** An answer before it becomes bytes. */
export interface Presentation {
  /** What becomes JSON text. It holds no clock and no age: the same state of things makes the same bytes. */
  readonly body: unknown;
  /** The next page's cursor. */
  readonly siguiente: string | undefined;
  /** More headers, with lower-case names: what is told of an answer but is no part of it. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a message of a stream adds to an answer in lines, before it becomes JSON text. */
export interface StreamPart {
  /** A line for each. */
  readonly entries: readonly unknown[];
  /** What could not be read: a line for each, `{"error":…}`. */
  readonly errors: readonly unknown[];
  /** Members of the last line that are not what was counted on the way; those of later messages win. */
  readonly end?: { readonly completo?: boolean; readonly [member: string]: unknown };
}

/** How all that an operation would give page by page is streamed. */
export interface OperationStream<Request = unknown, StreamRequest = unknown, Message = unknown> {
  readonly method: ServerStreamMethod<StreamRequest, Message>;
  /** From the request for a page, of which `limite` and `cursor` mean nothing here. */
  toRequest(request: Request): StreamRequest;
  present(message: Message): StreamPart;
}

/** How an operation is asked again and again over a WebSocket, where only the answer to the newest query is wanted. */
export interface OperationLive<Request = unknown, LiveRequest = unknown, LiveResponse = unknown> {
  readonly method: BidirectionalMethod<LiveRequest, LiveResponse>;
  toRequest(numero: number, request: Request): LiveRequest;
  /** The number of the query that is answered, and the members of the answer. */
  present(response: LiveResponse): { readonly numero: number; readonly body: object };
}

/** What the documents (OpenAPI) say of an operation besides its name. Its texts are Spanish, as all that HTTP users meet. */
export interface OperationDocument<Response = unknown> {
  readonly summary: string;
  /** The schema that its query is read by. */
  readonly query: z.ZodObject;
  /** Of the answer as `json`, and of one line of its stream. */
  readonly answer: z.ZodType;
  readonly line?: z.ZodType;
  /** Rendered as any other. */
  readonly example: Response;
}

/** An HTTP operation that is answered by one unary rpc: HTTP to messages and back, and nothing else. */
export interface Operation<Request = unknown, Response = unknown> {
  /** Also its path: `listar_archivos` is served at `/listar_archivos`. */
  readonly name: string;
  readonly method: Method<Request, Response>;
  /** Beginning with the usual one. */
  readonly formatos: readonly Pedido[];
  /** Reads the query string; throws `BadQueryError`. `formato` is undefined when the query does not say. */
  parse(query: URLSearchParams): { readonly request: Request; readonly formato: Pedido | undefined };
  present(response: Response, formato: Formato): Presentation;
  /** What an answer says of being kept; undefined when it is not to be. */
  vigencia?(response: Response): Vigencia | undefined;
  /** Without it the documents name its path and no more. */
  readonly document?: OperationDocument<Response>;
  /** Of those that have `ndjson` among their `formatos`. */
  readonly stream?: OperationStream<Request>;
  /** Served at `/{name}/en_vivo`. */
  readonly live?: OperationLive<Request>;
}
