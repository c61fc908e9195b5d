import type { CallResult, ServiceClient } from '../calls/service-client.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Operation } from '../operations/operation.ts';
import type { Accepted, Acceptor, DeferredRequest } from '../solicitudes/acceptance.ts';

/** A request for a service. */
export interface Ask extends Omit<DeferredRequest, 'operation' | 'request' | 'retryOf'> {
  readonly operation: Operation;
  /** The request message. */
  readonly request: unknown;
  /** Whether the HTTP method allows a later answer: GET does, HEAD does not. */
  readonly deferrable: boolean;
  /** `Prefer: respond-async`: take the queue without a call. */
  readonly respondAsync: boolean;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

export type Unreachable = Extract<CallResult, { kind: 'unreachable' }>;

export type Ending =
  | { readonly kind: 'answered'; readonly verdict: Verdict; readonly address: string }
  /** Committed to the ledger, now or earlier under the same key. `because`: the failed call, undefined without one. */
  | { readonly kind: 'accepted'; readonly accepted: Accepted; readonly because: Unreachable | undefined }
  /** The service is unreachable, and this request cannot be queued. */
  | { readonly kind: 'unavailable'; readonly because: Unreachable }
  | { readonly kind: 'gone' };

/**
 * Answers by a call or accepts the request into the queue; no other code decides this. A request is queued when its client
 * prefers it or the service is unreachable, provided that the proto marks the method as repeatable and the request may be
 * answered later. A request whose key belongs to a solicitud resolves to that solicitud. Rejects with the ledger's errors
 * when the request cannot be committed.
 */
export async function answerOrAccept(
  ask: Ask,
  call: ServiceClient['call'],
  acceptor: Acceptor,
): Promise<Ending> {
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
}: Ask): DeferredRequest {
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
