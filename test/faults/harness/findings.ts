/** What a promise was broken by. */
export interface Violation {
  /** The invariant: `missing`, `not answered`, `identity`. Negative controls go by it. */
  readonly kind: ViolationKind;
  readonly detail: string;
}

export type ViolationKind =
  /** An accepted id is unknown. */
  | 'missing'
  /** An accepted id has no final state. */
  | 'not answered'
  /** It ended without an answer, and nothing in the scenario asks for that. */
  | 'ended badly'
  /** More than one final state. */
  | 'two ends'
  /** Two reads of an answer differ, or the ledger holds other bytes. */
  | 'answer changed'
  /** An answer differs from that of the direct call. */
  | 'identity'
  /** A queueable GET got another status than it may. */
  | 'refused'
  /** Later than it should be after the fault healed. */
  | 'slow recovery'
  | 'queue not empty'
  | 'memory'
  /** A process ended by itself, or logged that it cannot go on. */
  | 'mishap'
  /** The ledger's file is damaged, or does not say what the gateway says. */
  | 'ledger'
  /** The scenario's own expectation. */
  | 'expectation'
  /** The harness could not do what the scenario asks for. */
  | 'harness';

export interface Figures {
  readonly sent: number;
  /** Answered at once, by gRPC or within `wait`. */
  readonly direct: number;
  readonly accepted: number;
  readonly answered: number;
  /** Accepted, and never answered. */
  readonly lost: number;
  /** Answers that changed, or were ended twice. */
  readonly duplicates: number;
  /** 503, where the scenario allows it. */
  readonly refused: number;
  /** Requests whose connection was lost before an answer came. */
  readonly unheard: number;
  /** Publishes beyond the first of each request: the price of at-least-once. */
  readonly republished: number;
  /** From the end of the fault until all that had been accepted before it was closed. */
  readonly recoverySeconds: number;
  readonly peakMegabytes: Readonly<Record<string, number>>;
}

/** Collects violations; of one kind a few are enough. */
export class Violations {
  readonly all: Violation[] = [];
  readonly #counts = new Map<ViolationKind, number>();

  add(kind: ViolationKind, detail: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= 5) this.all.push({ kind, detail });
  }

  /** A scenario's own expectation. */
  expect(isSo: boolean, otherwise: string): void {
    if (!isSo) this.add('expectation', otherwise);
  }

  count(kind: ViolationKind): number {
    return this.#counts.get(kind) ?? 0;
  }
}
