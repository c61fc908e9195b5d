import type { Failed, Protocol } from '../../../runtime/workers/messages.ts';
import { LedgerFullError, LedgerUnavailableError } from '../ledger.ts';
import { LedgerLockedError } from './database.ts';

/** Operations of a ledger worker, by name. Arguments and results cross threads by structured clone. */
export type Operations = Readonly<Record<string, (...args: never[]) => unknown>>;

export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failed };

/** Requests of the reader and of the writer. */
export interface LedgerProtocol<Data, Opened> extends Protocol {
  readonly requests: {
    /** The first request, once. */
    readonly open: (data: Data) => Opened;
    /** Runs a batch; returns one result per call, in order. */
    readonly run: (calls: readonly Call[]) => Result[];
  };
  readonly event: never;
}

const classes = { LedgerFullError, LedgerUnavailableError, LedgerLockedError };

/** Restores the class of a ledger error. Any other error is a bug and is returned as is. */
export function toLedgerError(error: unknown): unknown {
  if (!(error instanceof Error) || !(error.name in classes)) return error;
  return new classes[error.name as keyof typeof classes](error.message, { cause: error.cause });
}

export function runOperation(operations: Operations, { name, args }: Call): unknown {
  const operation = operations[name];
  if (operation === undefined) throw new Error(`The ledger has no operation ${name}`);
  return operation(...(args as never[]));
}
