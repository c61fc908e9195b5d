/** A parameter that is not as it should be. `motivo` is a key of the texts in `texts.ts`. */
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
