import { type Folding, foldText } from '../../filesystem/folding.ts';

/** Folding of neither case nor accents. */
export const coarse: Folding = { case: true, accents: true };

const first = 0x80;
/** Begin of the combining marks. Letters below fold one by one, whatever is next to them. */
const end = 0x300;

/**
 * Folds names in Latin letters as `foldText` does, thirty times as fast: UTF-8 bytes in, bytes out. Most names that
 * are not ASCII are Latin.
 */
export class LatinFolder {
  static readonly #made = new Map<string, LatinFolder>();
  readonly #letters: readonly Buffer[];
  readonly #case: boolean;

  /** One instance per folding, since making one takes as long as a search for a rare name. */
  static for({ case: cases, accents }: Folding): LatinFolder {
    const key = `${cases} ${accents}`;
    const folder = LatinFolder.#made.get(key) ?? new LatinFolder({ case: cases, accents });
    LatinFolder.#made.set(key, folder);
    return folder;
  }

  private constructor(folding: Folding) {
    this.#case = folding.case;
    this.#letters = Array.from({ length: end - first }, (_, i) =>
      Buffer.from(foldText(String.fromCharCode(first + i), folding)),
    );
  }

  /**
   * Returns the folded form of a letter beyond ASCII, given by its two bytes; undefined for other letters.
   */
  letter(lead: number, trail: number): Buffer | undefined {
    // A missing second byte is 0, which is outside these bounds.
    if (!(lead >= 0xc2 && lead <= 0xcb && trail >= 0x80 && trail <= 0xbf)) return undefined;
    return this.#letters[(((lead & 0x1f) << 6) | (trail & 0x3f)) - first];
  }

  /**
   * Returns whether `source`, from `start` to before `until`, is all Latin letters. Without folding it needs no
   * change then.
   */
  static covers(source: Buffer, start: number, until: number): boolean {
    for (let at = start; at < until; at++) {
      const byte = source[at] ?? 0;
      if (byte < 0x80) continue;
      const trail = source[++at] ?? 0;
      if (byte < 0xc2 || byte > 0xcb || at === until || trail < 0x80 || trail > 0xbf) return false;
    }
    return true;
  }

  /**
   * Writes the folded form of `source`, from `start` to before `until`, to the start of `target`.
   * @returns its length, or -1 when it is not all Latin letters
   */
  fold(source: Buffer, start: number, until: number, target: Buffer): number {
    let to = 0;
    for (let at = start; at < until; at++) {
      const byte = source[at] ?? 0;
      if (byte < 0x80) {
        target[to++] = this.#case && byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
        continue;
      }
      at++;
      const letter = at < until ? this.letter(byte, source[at] ?? 0) : undefined;
      if (letter === undefined) return -1;
      for (let part = 0; part < letter.length; part++) target[to++] = letter[part] ?? 0;
    }
    return to;
  }
}
