import type { Accept, Candidate } from '../solicitudes/acceptance.ts';
import type { Acceptance } from '../solicitudes/ledger.ts';
import type { Caller, CallResult } from './caller.ts';
import type { Verdict } from './verdict.ts';

/** A request on its way to a service. */
export interface Ask extends Candidate {
  /** Whether the HTTP method lets it be answered later: a GET may, a HEAD may not. */
  readonly deferrable: boolean;
  /** `Prefer: respond-async`: take the queue without trying the call. */
  readonly respondAsync: boolean;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export type Unreachable = Extract<CallResult, { kind: 'unreachable' }>;

export type Ending =
  | { readonly kind: 'answered'; readonly verdict: Verdict }
  /** Committed to the ledger. `because` is the failed call, or undefined when the caller asked for it. */
  | { readonly kind: 'accepted'; readonly acceptance: Acceptance; readonly because: Unreachable | undefined }
  /** The service cannot be reached, and this request cannot wait. */
  | { readonly kind: 'unavailable'; readonly because: Unreachable }
  | { readonly kind: 'gone' };

/**
 * The one place where it is decided that a request goes to the queue: when its caller prefers so, or when the service
 * cannot be reached; and in both cases only if it may be repeated (the proto says so) and may be answered later.
 * Rejects with the ledger's errors when there is no room for a promise.
 */
export async function answerOrAccept(ask: Ask, caller: Caller, accept: Accept): Promise<Ending> {
  const queueable = ask.deferrable && ask.operation.method.repeatable;
  if (queueable && ask.respondAsync) {
    return { kind: 'accepted', acceptance: await accept(candidateOf(ask)), because: undefined };
  }
  const result = await caller.call(ask.operation.method, ask.request, ask);
  switch (result.kind) {
    case 'verdict':
      return { kind: 'answered', verdict: result.verdict };
    case 'gone':
      return result;
    case 'unreachable':
      return queueable
        ? { kind: 'accepted', acceptance: await accept(candidateOf(ask)), because: result }
        : { kind: 'unavailable', because: result };
  }
}

function candidateOf({ service, operation, request, view, caller, requestId, traceparent }: Ask): Candidate {
  return { service, operation, request, view, caller, requestId, traceparent };
}
