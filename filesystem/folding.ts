export interface Folding {
  readonly case: boolean;
  readonly accents: boolean;
}

const notAscii = /[^\p{ASCII}]/u;

/**
 * A text in the form in which it is compared, without the differences that are folded away. Whether an accent is a
 * character of its own (NFD, as macOS writes names) or part of its letter (NFC) never makes a difference.
 */
export function foldText(text: string, folding: Folding): string {
  if (!notAscii.test(text)) return folding.case ? text.toLowerCase() : text;
  // Lower case first: that of İ brings a mark along. A final ς is σ: which of them it is depends on what follows.
  const lower = folding.case ? text.toLowerCase().replaceAll('ς', 'σ') : text;
  const unmarked = folding.accents ? lower.normalize('NFD').replaceAll(/\p{M}/gu, '') : lower;
  return unmarked.normalize('NFC');
}
