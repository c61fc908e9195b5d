import type { Kind } from '../../filesystem/kind.ts';

/*
 * An entry's facts besides its name, packed in 32 bits: the nanoseconds of its date below the millisecond (20
 * bits), its kind less 1 (2 bits), and flags.
 */

const kindShift = 20;
export const nanosecondsMask = (1 << kindShift) - 1;
/** The entry is removed; its place is free once the segment is compacted. */
export const isDead = 1 << 22;
/** The entry has a size and a date. */
export const hasStats = 1 << 23;
/** The name starts with a dot. */
export const isHidden = 1 << 24;
/** The file had another hard link when it was last read: a write through that one raises no event here. */
export const isShared = 1 << 25;

export function kindFacts(kind: Kind): number {
  return (kind - 1) << kindShift;
}

export function kindIn(facts: number): Kind {
  return (((facts >>> kindShift) & 3) + 1) as Kind;
}
