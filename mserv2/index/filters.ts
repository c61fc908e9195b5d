import { foldText } from '../../filesystem/folding.ts';
import { Kind } from '../../filesystem/kind.ts';
import { hasStats, isDead, isHidden, isShared, kindIn, nanosecondsMask } from './facts.ts';
import { coarse } from './latin.ts';
import type { Criteria } from './search-api.ts';
import type { Segment } from './segment.ts';

const dot = 0x2e;
const halfMs = 500_000;

/** Filters on an entry's own data, apart from its place and its name. */
export class Filters {
  /** Whether a kind passes, by kind. */
  readonly #kinds: readonly boolean[];
  readonly #unwanted: number;
  readonly #wanted: number;
  readonly #extensions: readonly Buffer[];
  readonly #criteria: Criteria;
  readonly #bySize: boolean;
  readonly #byDate: boolean;

  constructor(criteria: Criteria) {
    this.#criteria = criteria;
    this.#kinds = [0, 1, 2, 3, 4].map((kind) => criteria.kinds.has(kind));
    this.#unwanted = criteria.hidden ? isDead : isDead | isHidden;
    this.#wanted = criteria.shared === true ? isShared : 0;
    this.#extensions = criteria.extensions.map((extension) =>
      Buffer.from(`.${foldText(extension.replace(/^\./, ''), coarse)}`),
    );
    this.#bySize = criteria.minBytes !== undefined || criteria.maxBytes !== undefined;
    this.#byDate = criteria.since !== undefined || criteria.until !== undefined;
  }

  pass(segment: Segment, slot: number): boolean {
    const facts = segment.facts[slot] ?? 0;
    if ((facts & this.#wanted) !== this.#wanted) return false;
    if ((facts & this.#unwanted) !== 0 || this.#kinds[kindIn(facts)] !== true) return false;
    if (this.#extensions.length > 0 && !this.#passesExtension(segment, slot)) return false;
    if (!this.#bySize && !this.#byDate) return true;
    if ((facts & hasStats) === 0) return false;
    const size = kindIn(facts) === Kind.FOLDER ? undefined : segment.sizes[slot];
    return passesStats(this.#criteria, size, shownMs(segment.times[slot] ?? 0, facts & nanosecondsMask));
  }

  #passesExtension(segment: Segment, slot: number): boolean {
    const { names } = segment;
    const start = segment.starts[slot] ?? 0;
    const end = (segment.starts[slot + 1] ?? 0) - 1;
    return this.#extensions.some((extension) => {
      // The part before the dot must not be empty: `.txt` is a hidden name without an extension.
      let at = end - extension.length;
      if (at <= start || names[at] !== dot) return false;
      for (let i = 1; i < extension.length; i++) if (names[++at] !== extension[i]) return false;
      return true;
    });
  }
}

/**
 * Returns whether a size and a date are within a query's bounds.
 * @param size undefined for an entry without one
 * @param ms the date as it is shown
 */
export function passesStats(criteria: Criteria, size: number | undefined, ms: number | undefined): boolean {
  const { minBytes, maxBytes, since, until } = criteria;
  return isWithin(size, minBytes, maxBytes) && isWithin(ms, since, until);
}

function isWithin(value: number | undefined, least: number | undefined, most: number | undefined): boolean {
  if (least === undefined && most === undefined) return true;
  return value !== undefined && value >= (least ?? -Infinity) && value <= (most ?? Infinity);
}

function shownMs(ms: number, nanoseconds: number): number {
  return nanoseconds >= halfMs ? ms + 1 : ms;
}
