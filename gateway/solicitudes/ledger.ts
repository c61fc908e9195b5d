import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { View } from '../operations/operation.ts';

/** `aceptada` → `encolada` → one of the four that are final. The first final state wins and never changes. */
export const estados = ['aceptada', 'encolada', 'completada', 'fallida', 'vencida', 'cancelada'] as const;
export type Estado = (typeof estados)[number];
export type EstadoFinal = Exclude<Estado, 'aceptada' | 'encolada'>;

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
  /** `Idempotency-Key`: of the rows of one caller that are kept, only one has it. */
  readonly key: string | undefined;
  /** The id of the `fallida` solicitud that this one tries again. */
  readonly retryOf: string | undefined;
}

/** A row of the ledger, without its answer. */
export interface Solicitud extends Acceptance {
  readonly state: Estado;
  /** How often it was published and confirmed, and when last; undefined also when the broker has lost it since. */
  readonly attempts: number;
  readonly publishedAt: number | undefined;
  /** How often a direct call for it lost its connection in mid-call. */
  readonly interruptions: number;
  readonly closedAt: number | undefined;
  readonly history: readonly { readonly state: Estado; readonly at: number }[];
}

export interface Closing {
  readonly state: EstadoFinal;
  /** Given for `completada`; the other final states are told in the reader's own language. */
  readonly answer?: RenderedAnswer;
  readonly at: number;
}

/** Which rows are listed: the newest first, that is by descending id. */
export interface Listing {
  /** Without it, everybody's. */
  readonly caller: string | undefined;
  /** Without it, of every state. */
  readonly state: Estado | undefined;
  /** Only ids below this one. */
  readonly before: string | undefined;
  readonly limit: number;
}

/** A row came to this state, in whichever process. */
export interface Change {
  readonly id: string;
  readonly service: string;
  readonly state: Estado;
}

/**
 * Hears of changes after they were committed. What another process changed may be told late, and not at all when that
 * process dies just then: who waits for something looks again by itself now and then.
 */
export interface LedgerListener {
  changed(changes: readonly Change[]): void;
  /** Changes of other processes may have been missed. */
  missed(): void;
}

/** A row that was closed as `vencida`. */
export type Expired = Pick<Solicitud, 'id' | 'service' | 'requestId'>;

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
 * An open row has a time at which it is due: when a dispatcher should look at it next. Several gateways may share a
 * ledger, and any of them may do anything with any row.
 */
export interface Ledger {
  /** Made once per ledger, kept in it; part of the name of its reply queue. Lower-case letters and digits. */
  readonly id: string;
  /**
   * Commits a new row as `aceptada`, due at once. When the caller has a row with this `key` already, nothing is committed
   * and that row is given. Rejects with `LedgerFullError` or `LedgerUnavailableError`.
   */
  accept(acceptance: Acceptance): Promise<Solicitud | undefined>;
  get(id: string): Promise<Solicitud | undefined>;
  /** The row of this caller that has this key. */
  withKey(caller: string, key: string): Promise<Solicitud | undefined>;
  list(listing: Listing): Promise<readonly Solicitud[]>;
  /** The stored answer of a closed row; undefined when there is none. */
  answer(id: string): Promise<RenderedAnswer | undefined>;
  /** The broker confirmed it: `encolada`, one attempt more, due again at `dueAt`. A closed row is left alone. */
  published(id: string, at: number, dueAt: number): Promise<void>;
  /**
   * The broker has lost all that was published so far, whatever the clocks said then: those rows have no `publishedAt`
   * any more. What is published from now on has one that is not below `at`.
   */
  unpublish(at: number): Promise<void>;
  /** A direct call for it broke in mid-call: one interruption more, due again at `dueAt`. Gives the new number. */
  interrupted(id: string, dueAt: number): Promise<number>;
  /** Puts off one open row. */
  defer(id: string, dueAt: number): Promise<void>;
  /** Puts off all open `encolada` rows of a service that are due at `now` and that the broker has not lost. */
  deferQueued(service: string, now: number, dueAt: number): Promise<void>;
  /** Brings forward: every open row of a service is due at `dueAt` at the latest. Their queue was lost, or the broker. */
  makeDue(service: string, dueAt: number): Promise<void>;
  /**
   * Open rows of a service that are due at `now`: the longest due first, and of one time in order of acceptance. They
   * are due again at `until`, so that nobody else is given them meanwhile, and somebody is if their holder dies.
   */
  claim(service: string, now: number, until: number, limit: number): Promise<readonly Solicitud[]>;
  /** The earliest due time of the open rows of a service. */
  nextDue(service: string): Promise<number | undefined>;
  /** How many rows are open, by service. */
  open(): Promise<Readonly<Record<string, number>>>;
  /** When the open row that expires first was accepted: the oldest, as long as all live equally long. */
  oldest(): Promise<number | undefined>;
  /** Closes a row, once: a row that is closed already stays as it is. */
  close(id: string, closing: Closing): Promise<'closed' | 'was-closed' | 'unknown'>;
  /** Closes as `vencida` what is open past its time; gives what it closed. */
  expire(now: number): Promise<readonly Expired[]>;
  /** Forgets rows that were closed before `closedBefore`; gives how many. */
  purge(closedBefore: number): Promise<number>;
  /** Resolves when a request could be accepted now. Rejects as `accept` would. */
  probe(): Promise<void>;
  /** Gives the function that ends it. */
  subscribe(listener: LedgerListener): () => void;
  /** Finishes what is under way and lets go of the storage. May be called twice. */
  stop(): Promise<void>;
}
