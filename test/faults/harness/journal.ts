import { appendFileSync, readFileSync } from 'node:fs';

/** What a client did and was told. Times are milliseconds since 1970. */
export type Entry =
  | {
      readonly what: 'sent';
      readonly n: number;
      readonly at: number;
      readonly path: string;
      readonly key?: string;
    }
  /** `id` of a 202. `digest` of the identity of any other answer. */
  | {
      readonly what: 'told';
      readonly n: number;
      readonly at: number;
      readonly status: number;
      readonly id?: string;
      readonly digest?: string;
      readonly retryAfter?: string;
    }
  /** No answer: the connection was refused or lost, or nothing came in time. */
  | { readonly what: 'nothing'; readonly n: number; readonly at: number; readonly why: string };

/** A request of the journal and what became of it. */
export interface Asked {
  readonly n: number;
  readonly path: string;
  /** Its Idempotency-Key. */
  readonly key: string | undefined;
  readonly sentAt: number;
  /** Undefined when no answer is known of. */
  readonly told: Extract<Entry, { what: 'told' }> | undefined;
}

/** Writes an entry down before anything else happens: what was promised to a client must not depend on the tested. */
export function writeEntry(file: string, entry: Entry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

export function readJournal(file: string): readonly Asked[] {
  const asked = new Map<number, Asked>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line) as Entry;
    const before = asked.get(entry.n);
    if (entry.what === 'sent') {
      const { n, path, key, at: sentAt } = entry;
      asked.set(n, { n, path, key, sentAt, told: undefined });
    } else if (entry.what === 'told' && before !== undefined) {
      asked.set(entry.n, { ...before, told: entry });
    }
  }
  return [...asked.values()];
}
