import { tooLargeError, toStatusError } from '../../runtime/errors.ts';
import { Status } from '../../runtime/status.ts';
import type { ProxyError } from './service-client.ts';
import type { GrpcFailure } from './transport.ts';
import type { Verdict } from './verdict.ts';

/** The meaning of a failed call. `docs/classifier.md` shows where each case was observed. */
export type Classification =
  /** This status is the answer: from the queue the request would get the same one, only later. */
  | (Verdict & { readonly kind: 'verdict'; readonly ok: false })
  /** The service gave no answer. `opensBreaker`: the next call to this address would also fail. */
  | { readonly kind: 'unreachable'; readonly proxyError: ProxyError; readonly opensBreaker: boolean }
  /** The request's signal aborted. */
  | { readonly kind: 'gone' };

/**
 * Classifies a failure. Its code alone is not enough: the origin of the status, whether the request was sent and whether it
 * was aborted count as well. Only failures known to mean "not reached" are classified so. The rest are errors of the gateway, because a
 * bug is not a reason to queue.
 */
export function classify(failure: GrpcFailure): Classification {
  if (failure.cancelledByUs) return { kind: 'gone' };
  switch (failure.origin) {
    case 'server':
      return byServer(failure);
    case 'intermediary':
      return unreachable('destination_unavailable');
    case 'client':
      return byClient(failure);
  }
}

/** A server's status is a verdict, unless it says that the server could not work or gave up. */
function byServer({ code, message }: GrpcFailure): Classification {
  if (code === Status.UNAVAILABLE) return unreachable('destination_unavailable');
  if (code === Status.CANCELLED) return unreachable('connection_terminated');
  return { kind: 'verdict', ok: false, code, message };
}

function byClient(failure: GrpcFailure): Classification {
  const { code, message, sent } = failure;
  switch (code) {
    case Status.UNAVAILABLE:
      if (sent) return unreachable('connection_terminated', 'and opens');
      return message === streamRefused
        ? unreachable('destination_unavailable')
        : unreachable(connectError(message), 'and opens');
    case Status.DEADLINE_EXCEEDED:
      return sent ? unreachable('http_response_timeout') : unreachable('connection_timeout', 'and opens');
    case Status.CANCELLED:
      return unreachable('connection_terminated');
    case Status.INTERNAL:
      if (message.startsWith('Received RST_STREAM')) return unreachable('connection_terminated');
      return message.startsWith('Failed to start HTTP/2 stream')
        ? unreachable('destination_unavailable', 'and opens')
        : broken(failure);
    case Status.RESOURCE_EXHAUSTED:
      return message.startsWith('Bandwidth exhausted')
        ? unreachable('destination_unavailable')
        : broken(failure);
    case Status.PERMISSION_DENIED:
      return message === 'Protocol not secure enough'
        ? unreachable('destination_unavailable')
        : broken(failure);
    default:
      return broken(failure);
  }
}

/** grpc-js's message for RST_STREAM with REFUSED_STREAM, also for streams that a GOAWAY excludes. */
export const streamRefused = 'Stream refused by server';

function unreachable(proxyError: ProxyError, opens?: 'and opens'): Classification {
  return { kind: 'unreachable', proxyError, opensBreaker: opens !== undefined };
}

/** The gateway cannot read the service's answer: a fault of its own, reported without internals. */
function broken(failure: GrpcFailure): Classification {
  const { message } = /larger than max/.test(failure.message) ? tooLargeError() : toStatusError(failure);
  return { kind: 'verdict', ok: false, code: Status.INTERNAL, message };
}

function connectError(message: string): ProxyError {
  if (/ECONNREFUSED/.test(message)) return 'connection_refused';
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(message)) return 'dns_error';
  if (/ETIMEDOUT/.test(message)) return 'connection_timeout';
  return 'destination_unavailable';
}
