type CharacterClass = 'blank' | 'delimiter' | 'sign' | 'small' | 'capital' | 'number';

/** Longer than any name and most paths; the rest is not scored. */
const maxLength = 2048;

/** A text to be scored, by code points, with the bonus of a match at each. Made once and refilled. */
export class ScoredText {
  length = 0;
  readonly codes = new Int32Array(maxLength);
  readonly bonuses = new Int32Array(maxLength);
  #previous: CharacterClass = 'blank';

  clear(): void {
    this.length = 0;
    this.#previous = 'blank';
  }

  /** @param isCapital whether a unit was a capital before folding */
  push(code: number, isCapital: boolean): void {
    if (this.length === maxLength) return;
    const now = classOf(code, isCapital);
    this.codes[this.length] = code;
    this.bonuses[this.length] = bonusAt(this.#previous, now);
    this.#previous = now;
    this.length++;
  }
}

export const bonus = { atBlank: 10, atDelimiter: 9, atSign: 8, atHump: 7 } as const;

function bonusAt(before: CharacterClass, here: CharacterClass): number {
  if (here === 'blank') return bonus.atBlank;
  if (here === 'sign' || here === 'delimiter') return bonus.atSign;
  switch (before) {
    case 'blank':
      return bonus.atBlank;
    case 'delimiter':
      return bonus.atDelimiter;
    case 'sign':
      return bonus.atSign;
    default: {
      const isHump = (before === 'small' && here === 'capital') || (before !== 'number' && here === 'number');
      return isHump ? bonus.atHump : 0;
    }
  }
}

function classOf(code: number, isCapital: boolean): CharacterClass {
  if (isCapital || (code >= 0x41 && code <= 0x5a)) return 'capital';
  if ((code >= 0x61 && code <= 0x7a) || code >= 0x80) return 'small';
  if (code >= 0x30 && code <= 0x39) return 'number';
  if (code === 0x20 || code === 0x09 || code === 0x0a) return 'blank';
  return '/,:;|'.includes(String.fromCharCode(code)) ? 'delimiter' : 'sign';
}
