import type { Method } from '../../runtime/method.ts';

/** How an answer is written. Both are `application/json`. */
export type Formato = 'json' | 'nombres';

/** Languages of the texts that people read. */
export type Idioma = 'es' | 'en';

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

/** A parameter that is not as it should be. `motivo` is a key of the texts in `gateway/http/texts.ts`. */
export interface BadParameter {
  readonly parametro: string;
  readonly motivo: string;
  /** What fills the text's blanks. */
  readonly valores?: Readonly<Record<string, string | number>>;
}

/** The query string is not acceptable: 400, with every parameter that is wrong. */
export class BadQueryError extends Error {
  override readonly name = 'BadQueryError';
  readonly errores: readonly BadParameter[];

  constructor(errores: readonly BadParameter[]) {
    super(`Bad query: ${errores.map((e) => `${e.parametro}: ${e.motivo}`).join('; ')}`);
    this.errores = errores;
  }
}

/** An HTTP operation that is answered by one unary rpc: HTTP to messages and back, and nothing else. */
export interface Operation<Request = unknown, Response = unknown> {
  /** Also its path: `listar_archivos` is served at `/listar_archivos`. */
  readonly name: string;
  readonly method: Method<Request, Response>;
  readonly formatos: readonly Formato[];
  /** Reads the query string; throws `BadQueryError`. `formato` is undefined when the query does not say. */
  parse(query: URLSearchParams): { readonly request: Request; readonly formato: Formato | undefined };
  /** The body, before it becomes JSON text, and the next page's cursor. */
  present(
    response: Response,
    formato: Formato,
  ): { readonly body: unknown; readonly siguiente: string | undefined };
}
