import type * as z from 'zod';
import type { BidirectionalMethod, Method, ServerStreamMethod } from '../../runtime/method.ts';
import type { Validity } from '../calls/feed-session.ts';
import type { Idioma } from '../http/texts.ts';

/** The representations of one page, both `application/json`. */
export type PageFormato = 'json' | 'nombres';

/** The values of the parameter `formato`. `ndjson` streams all entries and is never cached or queued. */
export type Formato = PageFormato | 'ndjson';

/**
 * Everything besides the verdict that an answer's bytes depend on. The ledger stores it with the request, so that a
 * queued answer is rendered as the direct one.
 */
export interface View {
  /** The path and query as written by the client: `/v1/listar_archivos?ruta=2026`. */
  readonly target: string;
  readonly formato: PageFormato;
  readonly idioma: Idioma;
}

/** An answer before it is serialized. */
export interface Presentation {
  /** The JSON body. It holds no clock and no age: one state of the files gives the same bytes. */
  readonly body: unknown;
  /** The cursor of the next page. */
  readonly siguiente: string | undefined;
  /** Further headers, with lower-case names, for facts that are not part of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The lines of one stream message, before they are serialized. */
export interface StreamPart {
  /** One line each. */
  readonly entries: readonly unknown[];
  /** Entries that could not be read, one line each: `{"error":…}`. */
  readonly errors: readonly unknown[];
  /** Members of the last line besides the counts. Later messages override earlier ones. */
  readonly end?: { readonly completo?: boolean; readonly [member: string]: unknown };
}

/** How all entries of an operation are streamed. */
export interface OperationStream<Request = unknown, StreamRequest = unknown, Message = unknown> {
  readonly method: ServerStreamMethod<StreamRequest, Message>;
  /** Converts a page's request. `limite` and `cursor` have no meaning in a stream. */
  toRequest(request: Request): StreamRequest;
  present(message: Message): StreamPart;
}

/** How an operation answers queries over a WebSocket, where only the newest query's answer matters. */
export interface OperationLive<Request = unknown, LiveRequest = unknown, LiveResponse = unknown> {
  readonly method: BidirectionalMethod<LiveRequest, LiveResponse>;
  toRequest(numero: number, request: Request): LiveRequest;
  /** Returns the answered query's number and the answer's members. */
  present(response: LiveResponse): { readonly numero: number; readonly body: object };
}

/** The OpenAPI description of an operation. Its texts are Spanish, as all texts for HTTP users. */
export interface OperationDocument<Response = unknown> {
  readonly summary: string;
  /** The schema that validates its query. */
  readonly query: z.ZodObject;
  /** The schemas of the `json` answer and of one line of its stream. */
  readonly answer: z.ZodType;
  readonly line?: z.ZodType;
  /** An example, rendered like any answer. */
  readonly example: Response;
}

/** An HTTP operation answered by one unary rpc. It converts HTTP to messages and back, and does nothing else. */
export interface Operation<Request = unknown, Response = unknown> {
  /** The name, also its path: `listar_archivos` is served at `/listar_archivos`. */
  readonly name: string;
  readonly method: Method<Request, Response>;
  /** Its representations, the default first. */
  readonly formatos: readonly Formato[];
  /** Parses the query string; throws `BadQueryError`. `formato` is undefined when absent. */
  parse(query: URLSearchParams): { readonly request: Request; readonly formato: Formato | undefined };
  present(response: Response, formato: PageFormato): Presentation;
  /** Returns the validity of an answer; undefined when it must not be cached. */
  validity?(response: Response): Validity | undefined;
  /** Without it the documents contain only the operation's path. */
  readonly document?: OperationDocument<Response>;
  /** Present when `formatos` contains `ndjson`. */
  readonly stream?: OperationStream<Request>;
  /** Served at `/{name}/en_vivo`. */
  readonly live?: OperationLive<Request>;
}
