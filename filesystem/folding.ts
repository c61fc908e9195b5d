export interface Folding {
  readonly case: boolean;
  readonly accents: boolean;
}

const notAscii = /[^\p{ASCII}]/u;

/**
 * Returns the text in its comparison form, with the chosen differences folded away. NFD (a separate accent character,
 * as macOS writes names) and NFC always compare equal.
 */
export function foldText(text: string, folding: Folding): string {
  if (!notAscii.test(text)) return folding.case ? text.toLowerCase() : text;
  // Lower case first: İ becomes i plus a combining mark. Final ς becomes σ, because its form depends on its position.
  const lower = folding.case ? text.toLowerCase().replaceAll('ς', 'σ') : text;
  const unmarked = folding.accents ? lower.normalize('NFD').replaceAll(/\p{M}/gu, '') : lower;
  return unmarked.normalize('NFC');
}
