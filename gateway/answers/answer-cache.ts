import { LRUCache } from 'lru-cache';
import type { FeedSession, Validity } from '../calls/feed-session.ts';
import type { Representations } from './representations.ts';

/** A cached answer and its validity. */
export interface CachedAnswer {
  readonly representations: Representations;
  /** The route that made it, for metrics and the log. */
  readonly route: string;
  /** When its request arrived, by the monotonic clock, in milliseconds. The files were read later. */
  readonly arrivedAt: number;
  /** Undefined when no feed reports changes of it: it may then serve as the last known answer only. */
  readonly feed: { readonly validity: Validity; readonly session: FeedSession } | undefined;
}

export interface AnswerCache {
  /** Returns an answer that is still valid: its feed is alive and has reported no later change. */
  fresh(key: string): CachedAnswer | undefined;
  /** Returns the last answer, valid or not. */
  lastKnown(key: string): CachedAnswer | undefined;
  keep(key: string, kept: CachedAnswer): void;
  /** Returns the number of answers and their bytes. */
  size(): { readonly answers: number; readonly bytes: number };
  /** Milliseconds since the request of the answer arrived. */
  ageMs(kept: CachedAnswer): number;
}

/** Maximum age of a served answer. It bounds changes without an event, such as writes through mmap. */
const maxAgeMs = 30_000;
/** Bytes of an entry besides its body and key. */
const overheadBytes = 1_000;

/**
 * Creates the cache of rendered answers, which evicts the least recently used. Youth alone never makes an answer valid: a
 * feed must confirm it when it is served. Answers that are not valid are kept for `stale-if-error`.
 *
 * @param maxBytes 0 disables the cache
 * @param now the monotonic clock, in milliseconds
 */
export function createAnswerCache(maxBytes: number, now: () => number): AnswerCache {
  if (maxBytes === 0) return noCache;
  const entries = new LRUCache<string, CachedAnswer>({
    maxSize: maxBytes,
    sizeCalculation: ({ representations }, key) => representations.bytes + 2 * key.length + overheadBytes,
  });
  return {
    fresh: (key) => {
      const kept = entries.get(key);
      if (kept?.feed === undefined) return undefined;
      const { validity, session } = kept.feed;
      const at = now();
      return at - kept.arrivedAt < maxAgeMs && session.confirms(validity, at) ? kept : undefined;
    },
    lastKnown: (key) => entries.get(key),
    keep: (key, kept) => {
      const before = entries.peek(key);
      if (before === undefined || before.arrivedAt <= kept.arrivedAt) entries.set(key, kept);
    },
    size: () => ({ answers: entries.size, bytes: entries.calculatedSize }),
    ageMs: ({ arrivedAt }) => now() - arrivedAt,
  };
}

const noCache: AnswerCache = {
  fresh: () => undefined,
  lastKnown: () => undefined,
  keep: () => undefined,
  size: () => ({ answers: 0, bytes: 0 }),
  ageMs: () => 0,
};
