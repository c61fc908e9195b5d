import type { Kind } from '../../filesystem/kind.ts';

/*
 * What is known of an entry besides its name, packed in 32 bits: the nanoseconds of its date below the millisecond (20
 * bits), its kind less 1 (2 bits), and flags.
 */

const kindShift = 20;
export const nanosecondsMask = (1 << kindShift) - 1;
/** Removed; its place is taken until the segment is compacted. */
export const isDead = 1 << 22;
/** Size and date were told. */
export const hasStats = 1 << 23;
/** Its name starts with a dot. */
export const isHidden = 1 << 24;

export function kindFacts(kind: Kind): number {
  return (kind - 1) << kindShift;
}

export function kindIn(facts: number): Kind {
  return (((facts >>> kindShift) & 3) + 1) as Kind;
}
