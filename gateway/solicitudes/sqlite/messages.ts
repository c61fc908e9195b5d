import { LedgerFullError, LedgerUnavailableError } from '../ledger.ts';
import { LedgerLockedError } from './database.ts';

/** What a thread can be asked to do, by name. Arguments and results cross threads by structured clone. */
export type Operations = Readonly<Record<string, (...args: never[]) => unknown>>;

export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

const classes = { LedgerFullError, LedgerUnavailableError, LedgerLockedError };

/** An error between threads: structured clone forgets its class. `kind` is undefined for a defect of ours. */
export interface Failure {
  readonly kind: keyof typeof classes | undefined;
  readonly message: string;
  readonly cause: unknown;
}

export type Result =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure };

/** What a thread says first, once. */
export type Hello =
  | { readonly ok: true; readonly hello: unknown }
  | { readonly ok: false; readonly failure: Failure };

export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: undefined, message: String(error), cause: undefined };
  if (!(error.name in classes)) return { kind: undefined, message: error.message, cause: error };
  return { kind: error.name as keyof typeof classes, message: error.message, cause: error.cause };
}

export function toError({ kind, message, cause }: Failure): Error {
  return kind === undefined ? new Error(message, { cause }) : new classes[kind](message, { cause });
}

export function call(operations: Operations, { name, args }: Call): unknown {
  const operation = operations[name];
  if (operation === undefined) throw new Error(`The ledger's thread knows no ${name}`);
  return operation(...(args as never[]));
}
