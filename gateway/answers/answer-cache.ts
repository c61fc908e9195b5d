import { LRUCache } from 'lru-cache';
import type { FeedSession, Vigencia } from '../calls/feed-session.ts';
import type { Forms } from './representations.ts';

/** An answer, and who says that it is still right. */
export interface Kept {
  readonly forms: Forms;
  /** The route that made it, as it is counted and logged. */
  readonly route: string;
  /** Before it was asked for, monotonic, in milliseconds. */
  readonly askedAt: number;
  /** Undefined for an answer of which nobody tells what changes it: it is only the last one that is known. */
  readonly vouched: { readonly vigencia: Vigencia; readonly session: FeedSession } | undefined;
}

export interface AnswerCache {
  /** An answer that is right: no later change was told, and all that were are. */
  fresh(key: string): Kept | undefined;
  /** The last answer that was given, right or not. */
  lastKnown(key: string): Kept | undefined;
  keep(key: string, kept: Kept): void;
  /** How many answers it holds, and what they take, in bytes. */
  size(): { readonly answers: number; readonly bytes: number };
  /** Milliseconds since it was asked for. */
  ageMs(kept: Kept): number;
}

/** Writes through mmap make no event. */
const longestLifeMs = 30_000;
/** What an entry takes besides its bytes and its key. */
const overheadBytes = 1_000;

/**
 * Keeps rendered answers, as many as there is room for, those used least recently out. An answer is never served for being
 * young: a feed must vouch for it at that very moment. The others are kept for `stale-if-error`.
 *
 * @param maxBytes 0 keeps nothing
 * @param now monotonic, in milliseconds
 */
export function createCache(maxBytes: number, now: () => number): AnswerCache {
  if (maxBytes === 0) return noCache;
  const entries = new LRUCache<string, Kept>({
    maxSize: maxBytes,
    sizeCalculation: ({ forms }, key) => forms.bytes + 2 * key.length + overheadBytes,
  });
  return {
    fresh: (key) => {
      const kept = entries.get(key);
      if (kept?.vouched === undefined) return undefined;
      const { vigencia, session } = kept.vouched;
      const at = now();
      return at - kept.askedAt < longestLifeMs && session.vouches(vigencia, at) ? kept : undefined;
    },
    lastKnown: (key) => entries.get(key),
    keep: (key, kept) => {
      const before = entries.peek(key);
      if (before === undefined || before.askedAt <= kept.askedAt) entries.set(key, kept);
    },
    size: () => ({ answers: entries.size, bytes: entries.calculatedSize }),
    ageMs: ({ askedAt }) => now() - askedAt,
  };
}

const noCache: AnswerCache = {
  fresh: () => undefined,
  lastKnown: () => undefined,
  keep: () => undefined,
  size: () => ({ answers: 0, bytes: 0 }),
  ageMs: () => 0,
};
