/** A parameter that was refused. `motivo` is a key of the texts in `texts.ts`. */
export interface BadParameter {
  readonly parametro: string;
  readonly motivo: string;
  /** Values for the text's blanks. */
  readonly valores?: Readonly<Record<string, string | number>>;
}

/** The query string is invalid: 400 with every parameter that was refused. */
export class BadQueryError extends Error {
  override readonly name = 'BadQueryError';
  readonly errores: readonly BadParameter[];

  constructor(errores: readonly BadParameter[]) {
    super(`Bad query: ${errores.map((e) => `${e.parametro}: ${e.motivo}`).join('; ')}`);
    this.errores = errores;
  }
}
