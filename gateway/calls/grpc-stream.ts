import { once } from 'node:events';
import type { Client, ClientDuplexStream, ClientReadableStream, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Codec } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import { startDeadline } from './deadline.ts';
import { failed, failureOf, metadataOf, passBytes } from './grpc-call.ts';
import { StreamBrokenError, type StreamCall, type StreamOptions, type TransportResult } from './transport.ts';

type Reading = ClientReadableStream<Buffer>;
type Speaking = ClientDuplexStream<Buffer, Buffer>;

/**
 * Opens a call with streamed responses. grpc-js reads at most 16 messages ahead of the reader, then HTTP/2 flow control
 * stops the service. The deadline and the signal are watched here, as for a unary call.
 */
export async function openStream<Request, Response>(
  client: Client | undefined,
  call: StreamCall<Request, Response>,
  options: StreamOptions,
): Promise<TransportResult<AsyncIterable<Response>>> {
  const { deadlineMs, idleMs, signal } = options;
  if (signal.aborted) return failed(Status.CANCELLED, 'Aborted before it started', false, true);
  if (client === undefined) return failed(Status.UNAVAILABLE, 'The channel is closed', false);

  const path = `/${call.method.fullName}`;
  const metadata = metadataOf(options);
  let stream: Reading;
  let startSending: ((ended: AbortSignal) => Promise<void>) | undefined;
  try {
    if ('requests' in call) {
      const duplex = client.makeBidiStreamRequest(path, passBytes, passBytes, metadata);
      startSending = (ended) => sendRequests(call, duplex, ended);
      stream = duplex;
    } else {
      const bytes = call.method.request.toBinary(call.request);
      stream = client.makeServerStreamRequest(path, passBytes, passBytes, bytes, metadata);
    }
  } catch (cause) {
    return failed(Status.INTERNAL, `The request cannot be encoded: ${String(cause)}`, false);
  }

  const ended = new AbortController();
  const responded = Promise.withResolvers<void>();
  let headers: Metadata | undefined;
  stream.on('metadata', (received: Metadata) => {
    headers = received;
    responded.resolve();
  });
  // The iteration has its own error listener, but only while it runs.
  stream.on('error', () => undefined);

  let abandoned: { readonly code: Exclude<Status, 0>; readonly message: string } | undefined;
  const giveUp = (code: Exclude<Status, 0>, message: string): void => {
    abandoned ??= { code, message };
    stream.cancel();
  };
  const onAbort = (): void => giveUp(Status.CANCELLED, 'Aborted by its signal');
  const awaitWithin = (ms: number): (() => void) =>
    startDeadline(ms, () => giveUp(Status.DEADLINE_EXCEEDED, `Nothing in ${ms} ms`));
  signal.addEventListener('abort', onAbort);
  let cancelDeadline = awaitWithin(deadlineMs);

  const brokenBy = (error: unknown): StreamBrokenError => {
    if (error instanceof StreamBrokenError) return error;
    // Null if no stream was made for the call. Known only after the call has ended.
    const sent = stream.getAuthContext() !== null;
    const failure =
      abandoned === undefined
        ? failureOf(error as ServiceError, headers, sent, signal.aborted)
        : failed(abandoned.code, abandoned.message, sent, signal.aborted).failure;
    return new StreamBrokenError(failure);
  };

  async function* receive(): AsyncGenerator<Response, void> {
    try {
      for await (const bytes of stream) {
        cancelDeadline();
        yield decode(call.method.response, bytes);
        if (startSending === undefined) cancelDeadline = awaitWithin(idleMs);
      }
    } catch (error) {
      throw brokenBy(error);
    } finally {
      cancelDeadline();
      signal.removeEventListener('abort', onAbort);
      ended.abort();
      stream.cancel();
    }
  }

  const responses = receive();
  const first = responses.next();
  try {
    await (startSending === undefined ? first : Promise.race([first, responded.promise]));
  } catch (error) {
    return { ok: false, failure: brokenBy(error).failure };
  }
  cancelDeadline();
  void startSending?.(ended.signal).catch((error: unknown) => giveUp(Status.INTERNAL, String(error)));
  return { ok: true, response: startingWith(first, responses) };
}

/** Sends the requests, with backpressure, until they or the call end. */
async function sendRequests<Request>(
  { method, requests }: Extract<StreamCall<Request>, { requests: unknown }>,
  stream: Speaking,
  ended: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (ended.aborted) return;
    const held = !stream.write(method.request.toBinary(request));
    if (held) await once(stream, 'drain', { signal: ended }).catch(() => undefined);
  }
  stream.end();
}

function decode<Response>(codec: Codec<Response>, bytes: Buffer): Response {
  try {
    return codec.fromBinary(bytes);
  } catch (cause) {
    const message = `The response cannot be decoded: ${String(cause)}`;
    throw new StreamBrokenError(failed(Status.INTERNAL, message, true).failure, { cause });
  }
}

async function* startingWith<Response>(
  first: Promise<IteratorResult<Response, void>>,
  rest: AsyncGenerator<Response, void>,
): AsyncGenerator<Response, void> {
  try {
    const { done, value } = await first;
    if (done) return;
    yield value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
