import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { queuedKey, requestIdKey } from '../../runtime/grpc/call.ts';
import { Status, toStatus } from '../../runtime/status.ts';
import { traceHeaders } from '../../runtime/tracing/traceparent.ts';
import { streamRefused } from './classifier.ts';
import { originOf } from './status-origin.ts';
import type { CallOptions, GrpcFailure } from './transport.ts';

/** Identity codec: grpc-js passes messages as bytes. */
export const passBytes = (bytes: Buffer): Buffer<ArrayBuffer> => bytes as Buffer<ArrayBuffer>;

export function metadataOf({ requestId, traceparent, queued = false }: CallOptions): Metadata {
  const metadata = new Metadata();
  metadata.set(requestIdKey, requestId);
  if (traceparent !== '') {
    for (const [name, value] of Object.entries(traceHeaders(traceparent))) metadata.set(name, value);
  }
  if (queued) metadata.set(queuedKey, '1');
  return metadata;
}

/** Returns a failure that the gateway itself caused. */
export function failed(
  code: Exclude<Status, 0>,
  message: string,
  sent: boolean,
  cancelledByUs = false,
): { ok: false; failure: GrpcFailure } {
  return { ok: false, failure: { code, message, origin: 'client', sent, cancelledByUs } };
}

/** Converts grpc-js's error of a failed call. */
export function failureOf(
  error: ServiceError,
  headers: Metadata | undefined,
  sent: boolean,
  cancelledByUs: boolean,
): GrpcFailure {
  const code = toStatus(error.code);
  return {
    code: code === Status.OK ? Status.UNKNOWN : code,
    message: error.details,
    origin: originOf(error, headers),
    sent: sent && error.details !== streamRefused,
    cancelledByUs,
  };
}
