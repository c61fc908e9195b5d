import { appendFileSync, readFileSync } from 'node:fs';

/** An event of a request, as the client saw it. Times are milliseconds since 1970. */
export type JournalEntry =
  | {
      readonly kind: 'sent';
      readonly n: number;
      readonly at: number;
      readonly path: string;
      readonly key?: string;
    }
  /** A 202 has an `id`, any other answer the `digest` of its compared parts. */
  | {
      readonly kind: 'answered';
      readonly n: number;
      readonly at: number;
      readonly status: number;
      readonly id?: string;
      readonly digest?: string;
      readonly retryAfter?: string;
    }
  /** The connection was refused or lost, or no answer came in time. */
  | { readonly kind: 'failed'; readonly n: number; readonly at: number; readonly why: string };

/** A request of the journal, with its response. */
export interface JournaledRequest {
  readonly n: number;
  readonly path: string;
  /** Idempotency-Key. */
  readonly key: string | undefined;
  readonly sentAt: number;
  /** Undefined when the client got no answer. */
  readonly response: Extract<JournalEntry, { kind: 'answered' }> | undefined;
}

/** Appends an entry synchronously, so that a promise to a client is recorded before the next step. */
export function writeEntry(file: string, entry: JournalEntry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

export function readJournal(file: string): readonly JournaledRequest[] {
  const requests = new Map<number, JournaledRequest>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const entry = JSON.parse(line) as JournalEntry;
    const request = requests.get(entry.n);
    if (entry.kind === 'sent') {
      const { n, path, key, at: sentAt } = entry;
      requests.set(n, { n, path, key, sentAt, response: undefined });
    } else if (entry.kind === 'answered' && request !== undefined) {
      requests.set(entry.n, { ...request, response: entry });
    }
  }
  return [...requests.values()];
}
