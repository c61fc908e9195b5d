import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { streamRefused } from './classifier.ts';
import type { Failure } from './transport.ts';

/**
 * Who made a status. grpc-js marks it nowhere, but a status without response headers carries them itself (a
 * trailers-only response), and the ones that grpc-js makes carry nothing. Where headers came and the trailers hold
 * nothing more, the text decides: grpc-js 1.14.7 has a fixed set.
 */
export function originOf(
  { details, metadata }: Pick<ServiceError, 'details' | 'metadata'>,
  headers: Metadata | undefined,
): Failure['origin'] {
  if (/^Received HTTP status code \d/.test(details)) return 'intermediary';
  // grpc-js says so of status OK without a message, and keeps that status's metadata.
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
