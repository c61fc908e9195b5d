import type { Caller, CallResult } from '../calls/service-client.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Operation } from '../operations/operation.ts';
import type { Accepted, Acceptor, Candidate } from '../solicitudes/acceptance.ts';

/** A request on its way to a service. */
export interface Ask extends Omit<Candidate, 'operation' | 'request' | 'retryOf'> {
  readonly operation: Operation;
  /** The request message. */
  readonly request: unknown;
  /** Whether the HTTP method lets it be answered later: a GET may, a HEAD may not. */
  readonly deferrable: boolean;
  /** `Prefer: respond-async`: take the queue without trying the call. */
  readonly respondAsync: boolean;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export type Unreachable = Extract<CallResult, { kind: 'unreachable' }>;

export type Ending =
  | { readonly kind: 'answered'; readonly verdict: Verdict; readonly address: string }
  /**
   * Committed to the ledger, now or under the same key before. `because` is the failed call, or undefined when there was
   * none.
   */
  | { readonly kind: 'accepted'; readonly accepted: Accepted; readonly because: Unreachable | undefined }
  /** The service cannot be reached, and this request cannot wait. */
  | { readonly kind: 'unavailable'; readonly because: Unreachable }
  | { readonly kind: 'gone' };

/**
 * The one place where it is decided that a request goes to the queue: when its caller prefers so, or when the service
 * cannot be reached; and in both cases only if it may be repeated (the proto says so) and may be answered later. A
 * request whose key a solicitud has already is that solicitud. Rejects with the ledger's errors when there is no room for
 * a promise.
 */
export async function answerOrAccept(ask: Ask, call: Caller['call'], acceptor: Acceptor): Promise<Ending> {
  const queueable = ask.deferrable && ask.operation.method.repeatable;
  if (queueable && ask.respondAsync) {
    return { kind: 'accepted', accepted: await acceptor.accept(candidateOf(ask)), because: undefined };
  }
  if (queueable && ask.key !== undefined) {
    const known = await acceptor.known(candidateOf(ask));
    if (known !== undefined) return { kind: 'accepted', accepted: known, because: undefined };
  }
  const result = await call(ask.operation.method, ask.request, ask);
  switch (result.kind) {
    case 'verdict':
      return { kind: 'answered', verdict: result.verdict, address: result.address };
    case 'gone':
      return result;
    case 'unreachable':
      return queueable
        ? { kind: 'accepted', accepted: await acceptor.accept(candidateOf(ask)), because: result }
        : { kind: 'unavailable', because: result };
  }
}

function candidateOf({
  service,
  operation,
  request,
  view,
  caller,
  requestId,
  traceparent,
  key,
}: Ask): Candidate {
  const text = JSON.stringify(operation.method.request.toJson(request));
  return {
    service,
    operation: operation.name,
    request: text,
    view,
    caller,
    requestId,
    traceparent,
    key,
    retryOf: undefined,
  };
}
