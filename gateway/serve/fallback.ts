import type { CallResult, ServiceClient, Unreachable } from '../calls/service-client.ts';
import type { View } from '../operations/operation.ts';
import type { Accepted, Acceptor, DeferredRequest } from '../solicitudes/acceptance.ts';
import { LedgerFullError, LedgerUnavailableError } from '../solicitudes/ledger.ts';
import type { ServedRequest } from './request.ts';

/** The end of a request: that of its call, or of its acceptance. */
export type RequestResult =
  | CallResult
  /** Committed to the ledger, now or earlier under the same key. `because`: the failed call, undefined without one. */
  | { readonly kind: 'accepted'; readonly accepted: Accepted; readonly because: Unreachable | undefined }
  /** To be queued, but the ledger is full or unavailable. */
  | { readonly kind: 'refused'; readonly error: LedgerFullError | LedgerUnavailableError };

/**
 * Calls the service or accepts the request into the queue; no other code decides this. A request is queued when its client
 * prefers it or the service is unreachable, provided that it is deferrable. A request whose key belongs to a solicitud
 * resolves to that solicitud.
 */
export async function callOrAccept(
  request: ServedRequest,
  view: View,
  call: ServiceClient['call'],
  acceptor: Acceptor,
): Promise<RequestResult> {
  const { operation, message, prefer, key, deferrable } = request;
  try {
    if (deferrable && prefer.respondAsync) {
      const accepted = await acceptor.accept(deferredOf(request, view));
      return { kind: 'accepted', accepted, because: undefined };
    }
    if (deferrable && key !== undefined) {
      const accepted = await acceptor.known(deferredOf(request, view));
      if (accepted !== undefined) return { kind: 'accepted', accepted, because: undefined };
    }
    const result = await call(operation.method, message, request);
    if (result.kind !== 'unreachable' || !deferrable) return result;
    return { kind: 'accepted', accepted: await acceptor.accept(deferredOf(request, view)), because: result };
  } catch (error) {
    if (error instanceof LedgerFullError || error instanceof LedgerUnavailableError) {
      return { kind: 'refused', error };
    }
    throw error;
  }
}

function deferredOf(request: ServedRequest, view: View): DeferredRequest {
  const { service, operation, message, caller, requestId, traceparent, key } = request;
  return {
    service,
    view,
    caller,
    requestId,
    traceparent,
    key,
    operation: operation.name,
    request: JSON.stringify(operation.method.request.toJson(message)),
    retryOf: undefined,
  };
}
