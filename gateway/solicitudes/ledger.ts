import type { View } from '../operations/operation.ts';

/** `aceptada` → `encolada` → one of the four that are final. The first final state wins and never changes. */
export type Estado = 'aceptada' | 'encolada' | EstadoFinal;
export type EstadoFinal = 'completada' | 'fallida' | 'vencida' | 'cancelada';

/** A request as it is committed to the ledger. Times are milliseconds since 1970. */
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
  /** Who asked: `anonimo` until there is identity. */
  readonly caller: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** Random; a reply must echo it. */
  readonly witness: string;
  readonly acceptedAt: number;
  readonly expiresAt: number;
}

/** A row of the ledger, without its answer. */
export interface Solicitud extends Acceptance {
  readonly state: Estado;
  /** How often it was published and confirmed, and when last. */
  readonly attempts: number;
  readonly publishedAt: number | undefined;
  /** How often a direct call for it lost its connection in mid-call. */
  readonly interruptions: number;
  readonly closedAt: number | undefined;
  readonly history: readonly { readonly state: Estado; readonly at: number }[];
}

/** A rendered answer, as it will be sent. */
export interface StoredAnswer {
  readonly status: number;
  /** Lower-case names: content-type, etag, link. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Closing {
  readonly state: EstadoFinal;
  /** Given for `completada`; the other final states are told in the reader's own language. */
  readonly answer?: StoredAnswer;
  readonly at: number;
}

/** The ledger has no room: refused before any work was done. */
export class LedgerFullError extends Error {
  override readonly name = 'LedgerFullError';
}

/** The ledger cannot be written or read: its disk is full, failing or gone, or it is closed. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError';
}

/**
 * What was accepted, until it is answered and its answer was kept long enough. The ledger is the truth, the broker only
 * a transport. A promise that resolves means: committed to stable storage.
 *
 * An open row has a time at which it is due: when the dispatcher should look at it next.
 */
export interface Ledger {
  /** Made once per ledger, kept in it; part of the name of its reply queue. Lower-case letters and digits. */
  readonly id: string;
  /** Commits a new row as `aceptada`, due at once. Rejects with `LedgerFullError` or `LedgerUnavailableError`. */
  accept(acceptance: Acceptance): Promise<void>;
  get(id: string): Promise<Solicitud | undefined>;
  /** The stored answer of a closed row; undefined when there is none. */
  answer(id: string): Promise<StoredAnswer | undefined>;
  /** The broker confirmed it: `encolada`, one attempt more, due again at `dueAt`. A closed row is left alone. */
  published(id: string, at: number, dueAt: number): Promise<void>;
  /** A direct call for it broke in mid-call: one interruption more, due again at `dueAt`. Gives the new number. */
  interrupted(id: string, dueAt: number): Promise<number>;
  /** Puts off one open row. */
  defer(id: string, dueAt: number): Promise<void>;
  /** Puts off all open `encolada` rows of a service that are due at `now`. */
  deferQueued(service: string, now: number, dueAt: number): Promise<void>;
  /** Brings forward: every open row of a service is due at `dueAt` at the latest. Their queue was lost, or the broker. */
  makeDue(service: string, dueAt: number): Promise<void>;
  /** Open rows of a service that are due at `now`: the longest due first, and of one time in order of acceptance. */
  due(service: string, now: number, limit: number): Promise<readonly Solicitud[]>;
  /** The earliest due time of the open rows of a service. */
  nextDue(service: string): Promise<number | undefined>;
  /** How many rows are open, by service. */
  open(): Promise<Readonly<Record<string, number>>>;
  /** Closes a row, once: a row that is closed already stays as it is. */
  close(id: string, closing: Closing): Promise<'closed' | 'was-closed' | 'unknown'>;
  /** Closes as `vencida` what is open past its time; gives what it closed. */
  expire(now: number): Promise<readonly { readonly id: string; readonly service: string }[]>;
  /** Forgets rows that were closed before `closedBefore`; gives how many. */
  purge(closedBefore: number): Promise<number>;
  /** Resolves when a write can be committed. */
  probe(): Promise<void>;
  /** Finishes what is under way and lets go of the storage. May be called twice. */
  stop(): Promise<void>;
}
