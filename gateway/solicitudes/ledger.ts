import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { View } from '../operations/operation.ts';

/** `aceptada`, then `encolada`, then a final state. The first final state wins and never changes. */
export const estados = ['aceptada', 'encolada', 'completada', 'fallida', 'vencida', 'cancelada'] as const;
export type Estado = (typeof estados)[number];
export type EstadoFinal = Exclude<Estado, 'aceptada' | 'encolada'>;

/** An accepted request as committed to the ledger. Times are milliseconds since 1970. */
export interface Acceptance {
  /** UUIDv7. */
  readonly id: string;
  /** Name in the registry: `mserv1`. */
  readonly service: string;
  /** `listar_archivos` */
  readonly operation: string;
  /** Proto3 JSON text of the request message. */
  readonly request: string;
  readonly view: View;
  /** The authenticated user, or `anonimo`. */
  readonly caller: string;
  readonly requestId: string;
  /** Trace context (runtime/tracing/traceparent.ts). */
  readonly traceparent: string;
  /** The reply token: random; a reply must echo it. */
  readonly replyToken: string;
  readonly acceptedAt: number;
  readonly expiresAt: number;
  /** The `Idempotency-Key`, unique among the kept rows of one caller. */
  readonly key: string | undefined;
  /** The id of the `fallida` solicitud that this one retries. */
  readonly retryOf: string | undefined;
}

/** A row of the ledger, without its answer. */
export interface Solicitud extends Acceptance {
  readonly state: Estado;
  /** How often it was published and confirmed, and when last. Undefined also after the broker lost the message. */
  readonly attempts: number;
  readonly publishedAt: number | undefined;
  /** How often the connection was lost during a direct call for it. */
  readonly interruptions: number;
  readonly closedAt: number | undefined;
  readonly history: readonly { readonly state: Estado; readonly at: number }[];
}

export interface Closing {
  readonly state: EstadoFinal;
  /** Present for `completada`. The other final states are rendered when read, in the reader's language. */
  readonly answer?: RenderedAnswer;
  readonly at: number;
}

/** Selects the rows of a list, ordered by descending id, so the newest first. */
export interface SolicitudFilter {
  /** Undefined selects the rows of all callers. */
  readonly caller: string | undefined;
  /** Undefined selects every state. */
  readonly state: Estado | undefined;
  /** Only ids below this one. */
  readonly before: string | undefined;
  readonly limit: number;
}

/** A row's change of state, made by any gateway. */
export interface Change {
  readonly id: string;
  readonly service: string;
  readonly state: Estado;
}

/**
 * Receives committed changes. Notifications of other gateways may be late, or lost when that gateway dies, so a waiter
 * also polls.
 */
export interface LedgerListener {
  changed(changes: readonly Change[]): void;
  /** Notifications of other gateways may have been lost. */
  missed(): void;
}

/** A row closed as `vencida`. */
export type Expired = Pick<Solicitud, 'id' | 'service' | 'requestId'>;

/** The size of a ledger. */
export interface LedgerBounds {
  /** Rows kept, open and closed. */
  readonly maxRows: number;
  /** Bytes of the kept requests and answers (row-size.ts). Answers are stored beyond it, new requests are not. */
  readonly maxBytes: number;
}

/** The ledger is full: the request is refused before any work. */
export class LedgerFullError extends Error {
  override readonly name = 'LedgerFullError';
}

/** The ledger cannot be read or written: its disk is full, failing or gone, or it is closed. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
}

/**
 * The store of accepted requests, from acceptance until their answer's retention ends. The ledger is the source of truth,
 * the broker only a transport. A resolved promise means: committed to stable storage.
 *
 * An open row has a due time, when a dispatcher must check it next. Several gateways may share a ledger, and each may
 * change any row.
 */
export interface Ledger {
  /** Generated once per ledger and stored in it; part of its reply queue's name. Lower-case letters and digits. */
  readonly id: string;
  /**
   * Commits a new row as `aceptada`, due at once. When the caller already has a row with this `key`, commits nothing and
   * returns that row. Rejects with `LedgerFullError` or `LedgerUnavailableError`.
   */
  accept(acceptance: Acceptance): Promise<Solicitud | undefined>;
  get(id: string): Promise<Solicitud | undefined>;
  /** Returns the caller's row with this key. */
  withKey(caller: string, key: string): Promise<Solicitud | undefined>;
  list(listing: SolicitudFilter): Promise<readonly Solicitud[]>;
  /** Returns the stored answer of a closed row; undefined when it has none. */
  answer(id: string): Promise<RenderedAnswer | undefined>;
  /** Records a publish that the broker confirmed: `encolada`, one more attempt, due at `dueAt`. Ignores closed rows. */
  published(id: string, at: number, dueAt: number): Promise<void>;
  /**
   * Records that the broker has lost every message so far: those rows lose their `publishedAt`, whatever the clocks said.
   * Rows published from now on have a `publishedAt` of at least `at`.
   */
  unpublish(at: number): Promise<void>;
  /** Records a direct call that was interrupted; due again at `dueAt`. Returns the number of interruptions. */
  interrupted(id: string, dueAt: number): Promise<number>;
  /** Defers one open row. */
  defer(id: string, dueAt: number): Promise<void>;
  /** Defers a service's `encolada` rows that are due at `now` and that the broker has not lost. */
  deferQueued(service: string, now: number, dueAt: number): Promise<void>;
  /** Makes every open row of a service due by `dueAt`, after its queue or the broker was lost. */
  makeDue(service: string, dueAt: number): Promise<void>;
  /**
   * Claims a service's open rows that are due at `now`, by due time, then by acceptance. They are due again at `until`:
   * until then no other gateway claims them, and afterwards one does if this gateway died.
   */
  claim(service: string, now: number, until: number, limit: number): Promise<readonly Solicitud[]>;
  /** Returns the earliest due time of a service's open rows. */
  nextDue(service: string): Promise<number | undefined>;
  /** Returns the number of open rows by service. */
  countOpen(): Promise<Readonly<Record<string, number>>>;
  /** Returns when the open row that expires first was accepted. With equal lifetimes that is the oldest row. */
  oldest(): Promise<number | undefined>;
  /** Closes a row. A closed row keeps its state. */
  close(id: string, closing: Closing): Promise<'closed' | 'was-closed' | 'unknown'>;
  /** Closes expired open rows as `vencida` and returns them. */
  expire(now: number): Promise<readonly Expired[]>;
  /** Deletes rows closed before `closedBefore`; returns their number. */
  purge(closedBefore: number): Promise<number>;
  /** Resolves when the ledger can accept a request now. Rejects as `accept` would. */
  probe(): Promise<void>;
  /** Returns the unsubscribe function. */
  subscribe(listener: LedgerListener): () => void;
  /** Finishes pending work and releases the storage. May be called twice. */
  stop(): Promise<void>;
}
