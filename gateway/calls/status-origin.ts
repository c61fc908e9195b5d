import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { streamRefused } from './classifier.ts';
import type { GrpcFailure } from './transport.ts';

/**
 * Returns the origin of a status, which grpc-js does not record. A server's status without response headers carries them
 * itself (trailers-only), and a status made by grpc-js carries none. With headers and empty trailers the text decides:
 * grpc-js 1.14.7 has a fixed set of messages.
 */
export function originOf(
  { details, metadata }: Pick<ServiceError, 'details' | 'metadata'>,
  headers: Metadata | undefined,
): GrpcFailure['origin'] {
  if (/^Received HTTP status code \d/.test(details)) return 'intermediary';
  // grpc-js's own error for status OK without a message; it keeps the metadata of that status.
  if (details === 'No message received') return 'client';
  const contentType = (headers ?? metadata).get('content-type')[0];
  if (contentType === undefined) return 'client';
  if (!String(contentType).startsWith('application/grpc')) return 'intermediary';
  return headers !== undefined && madeByClient.test(details) ? 'client' : 'server';
}

const madeByClient = new RegExp(
  `^(?:${[
    'Received RST_STREAM with code \\d',
    'Connection dropped$',
    'Call cancelled$',
    `${streamRefused}$`,
    'Bandwidth exhausted or memory limit exceeded$',
    'Protocol not secure enough$',
    'Received message larger than max',
    'Too many responses received$',
    'No status information received$',
    'Write error: ',
    'Write failed with error ',
    'read E',
    'write E',
  ].join('|')})`,
);
