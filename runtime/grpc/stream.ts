import { on } from 'node:events';
import { Metadata, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { StatusError } from '../errors.ts';
import type { ServedStream } from '../handlers.ts';
import { Status } from '../status.ts';
import { type CallDeps, runCall } from './call.ts';

type ReadingCall = ServerDuplexStream<unknown, unknown>;
type WritingCall = ServerWritableStream<unknown, unknown> | ReadingCall;

/** A stream's handler with the name for its log lines. */
interface NamedStream extends Pick<ServedStream, 'handle'> {
  readonly method: { readonly fullName: string };
}

/** Requests buffered for the handler; then the caller is held back. */
const requestsAhead = 4;
/**
 * A caller that reads nothing for this long is cut off, because it holds a handler and its descriptors. A gateway
 * gives up earlier.
 */
const stalledMs = 300_000;

/**
 * Serves a method that answers with a stream, or is bidirectional. The next response is made while the last one is
 * sent, and no further: a slow caller holds the handler back. A bidirectional call sends its headers before the first
 * request, so that the caller knows that it is connected.
 */
export function streamHandler({ method, handle }: NamedStream, deps: CallDeps) {
  return (call: WritingCall): void =>
    void runCall(call, method.fullName, deps, {
      run: async (context, logFields) => {
        const { signal } = context;
        let input: unknown;
        if ('request' in call) {
          input = call.request;
        } else {
          call.sendMetadata(new Metadata());
          input = requestsOf(call, signal, deps.calls.stopping);
        }
        let messages = 0;
        let sent: Promise<void> | undefined;
        for await (const response of handle(input, context)) {
          await sent;
          sent = send(call, response, signal);
          // Handled at the next `await sent`; the handler may still work until then.
          sent.catch(() => undefined);
          logFields['messages'] = ++messages;
        }
        await sent;
        call.end();
      },
      fail: (failure) => {
        if (!call.cancelled) call.emit('error', failure);
      },
    });
}

async function* requestsOf(
  call: ReadingCall,
  signal: AbortSignal,
  stopping: AbortSignal,
): AsyncGenerator<unknown, void> {
  const either = AbortSignal.any([signal, stopping]);
  try {
    const received = on(call, 'data', { signal: either, close: ['end'], highWaterMark: requestsAhead });
    for await (const [request] of received) yield request;
  } catch (error) {
    signal.throwIfAborted();
    if (!stopping.aborted) throw error;
  }
}

/**
 * Resolves when the message is on its way. After the call has ended, grpc-js reports nothing more about it.
 */
function send(call: WritingCall, message: unknown, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  const onStall = (): void =>
    reject(new StatusError(Status.DEADLINE_EXCEEDED, undefined, 'The caller takes nothing'));
  const timer = setTimeout(onStall, stalledMs);
  signal.addEventListener('abort', onAbort);
  call.write(message, (error?: Error | null) => (error ? reject(error) : resolve()));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
}
