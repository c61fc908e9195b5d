/** A broken invariant. */
export interface Violation {
  /** Kind of invariant, `missing` or `identity`; negative controls expect certain kinds. */
  readonly kind: ViolationKind;
  readonly detail: string;
}

export type ViolationKind =
  /** An accepted id is unknown. */
  | 'missing'
  /** An accepted id has no final state. */
  | 'not answered'
  /** An accepted request ended with a status that the scenario does not expect. */
  | 'wrong status'
  /** A request has several final states, or two requests share an id. */
  | 'closed twice'
  /** Two readings of an answer differ, or the ledger holds other bytes. */
  | 'answer changed'
  /** An answer differs from the direct answer. */
  | 'identity'
  /** A GET that can be queued got a 5xx that is not allowed. */
  | 'refused'
  /** Waiting requests were answered too late after the repair. */
  | 'slow recovery'
  | 'queue not empty'
  | 'memory'
  /** A process ended by itself, or its stop failed. */
  | 'unexpected exit'
  /** The ledger's storage is damaged, or differs from the gateway's answers. */
  | 'ledger'
  /** An expectation of the scenario itself failed. */
  | 'expectation'
  /** The harness could not carry out the scenario. */
  | 'harness';

export interface Figures {
  readonly sent: number;
  /** Requests answered directly, or within `wait`. */
  readonly direct: number;
  readonly accepted: number;
  readonly answered: number;
  /** Accepted requests that were never answered. */
  readonly lost: number;
  /** Answers that changed, and requests closed twice. */
  readonly duplicates: number;
  /** Requests answered 5xx. */
  readonly refused: number;
  /** Requests whose connection was lost before an answer came. */
  readonly unanswered: number;
  /** Publishes beyond the first of each request; the cost of at-least-once delivery. */
  readonly republished: number;
  /** Time from the end of the fault until all requests accepted before it were closed. */
  readonly recoverySeconds: number;
  readonly peakMegabytes: Readonly<Record<string, number>>;
}

/** Collects violations; keeps the first five of each kind and counts the others. */
export class Violations {
  readonly all: Violation[] = [];
  readonly #counts = new Map<ViolationKind, number>();

  add(kind: ViolationKind, detail: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= 5) this.all.push({ kind, detail });
  }

  /** Checks an expectation of the scenario itself. */
  expect(holds: boolean, failure: string): void {
    if (!holds) this.add('expectation', failure);
  }

  count(kind: ViolationKind): number {
    return this.#counts.get(kind) ?? 0;
  }
}
