import { Status } from '../../runtime/status.ts';
import type { ProxyError } from './service-client.ts';
import type { Failure } from './transport.ts';

/** What a failed call means. DESIGN section 4; `docs/classifier.md` shows where every row was seen. */
export type Classification =
  /** The answer is this status: queueing the request would only bring the same one later. */
  | { readonly kind: 'verdict'; readonly code: Exclude<Status, 0>; readonly message: string }
  /** The service did not speak. `opensBreaker`: the next call to this address would fare no better. */
  | { readonly kind: 'unreachable'; readonly proxyError: ProxyError; readonly opensBreaker: boolean }
  /** Our caller went away. */
  | { readonly kind: 'gone' };

/**
 * Judges a failure: never by its code alone, but by who made the status, whether the request was sent, and who
 * cancelled. Only failures that are known to mean "not reached" are; what is left over is an error of ours, and a bug
 * is no reason to queue.
 */
export function classify(failure: Failure): Classification {
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

/** The server's own word counts, except where it says that it could not work or that it gave up. */
function byServer({ code, message }: Failure): Classification {
  if (code === Status.UNAVAILABLE) return unreachable('destination_unavailable');
  if (code === Status.CANCELLED) return unreachable('connection_terminated');
  return { kind: 'verdict', code, message };
}

function byClient(failure: Failure): Classification {
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

/** What grpc-js says of RST_STREAM with REFUSED_STREAM, also for streams that a GOAWAY left out. */
export const streamRefused = 'Stream refused by server';

function unreachable(proxyError: ProxyError, opens?: 'and opens'): Classification {
  return { kind: 'unreachable', proxyError, opensBreaker: opens !== undefined };
}

/** The service answered and the gateway could not read it: its own fault, told without its insides. */
function broken({ message }: Failure): Classification {
  const detail = /larger than max/.test(message) ? 'The answer is too large' : 'Internal error';
  return { kind: 'verdict', code: Status.INTERNAL, message: `error-interno: ${detail}` };
}

function connectError(message: string): ProxyError {
  if (/ECONNREFUSED/.test(message)) return 'connection_refused';
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(message)) return 'dns_error';
  if (/ETIMEDOUT/.test(message)) return 'connection_timeout';
  return 'destination_unavailable';
}
