import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { renderVerdict } from '../answers/renderer.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import { problemOfThrown } from '../http/error-mapping.ts';
import { renderProblem } from '../http/problem.ts';
import type { State } from '../http/state.ts';
import type { Authenticator, Verified } from '../identity/authenticator.ts';
import type { Operation, OperationLive } from '../operations/operation.ts';
import { createAdmission } from './admission.ts';
import { bridge, type LiveQuery } from './bridge.ts';
import { Mailbox } from './mailbox.ts';
import { numeroOf, parseMessage, queryOfMessage } from './query-message.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ConversationOptions {
  readonly operation: Operation;
  readonly live: OperationLive;
  readonly serviceClient: ServiceClient;
  /** The state of the upgrade request. */
  readonly state: Pick<State, 'idioma' | 'prefix' | 'requestId' | 'traceparent'>;
  /** The caller, when the upgrade request carried credentials. */
  readonly known: Verified | undefined;
  readonly verify: Authenticator['verify'];
  /** Charges the caller for a query as for a GET. Throws when the quota is exceeded. */
  readonly charge: ((caller: string) => Promise<void>) | undefined;
  /** A client that receives nothing for this long is disconnected, in milliseconds. */
  readonly stallMs: number;
  readonly log: Logger;
}

/** Close codes: RFC 6455, section 7.4.1, and 1013 of its registry. */
const closeCode = { unsupported: 1003, policy: 1008, bug: 1011, tryAgainLater: 1013 };

/** Far above any typing speed. */
const burst = 100;
const queriesPerSecond = 50;
/** Interval of pings. A client that has not answered one when the next is due is disconnected. */
const pingMs = 30_000;

/**
 * Serves a client until either side closes. `{"numero":7,"nombre":"inf"}` is answered with `{"numero":7,"archivos":[…],…}`,
 * or with `{"numero":7,"problema":{…}}` on an error. A query that a newer one overtook gets no answer. A query without a
 * number gets the next one.
 */
export async function serveConversation(socket: WebSocket, options: ConversationOptions): Promise<void> {
  const { operation, live, serviceClient, known, verify, charge, stallMs, log } = options;
  const { idioma, prefix, requestId, traceparent } = options.state;
  const instance = `${prefix}/${operation.name}/en_vivo`;
  const queries = new Mailbox<LiveQuery>();
  const disconnected = new AbortController();
  let lastNumero = 0;
  let newest: LiveQuery | undefined;

  /** Resolves when the message has been written to the socket, or the socket has closed. */
  function send(message: object): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stalled = setTimeout(() => socket.terminate(), stallMs);
    socket.send(JSON.stringify(message), () => resolve());
    return promise.finally(() => clearTimeout(stalled));
  }

  function sendProblem(numero: number | undefined, { body }: { readonly body: Buffer }): Promise<void> {
    return send({ numero: numero ?? null, problema: JSON.parse(body.toString()) });
  }

  async function onText(text: string, callerId: string): Promise<void> {
    let numero: number | undefined;
    try {
      const message = parseMessage(text);
      numero = numeroOf(message);
      const query = queryOfMessage(message);
      numero ??= lastNumero + 1;
      lastNumero = numero;
      const { request } = operation.parse(query);
      const parsed = { numero, request, target: `${prefix}/${operation.name}?${query}` };
      newest = parsed;
      await charge?.(callerId);
      // A newer query may have arrived during the charge.
      if (newest === parsed) queries.put(parsed);
    } catch (thrown) {
      const problem = problemOfThrown(thrown);
      if (problem === undefined) return onBug(thrown);
      void sendProblem(numero, renderProblem(problem, { idioma, instance }));
    }
  }

  function onBug(err: unknown): void {
    log.error({ err, requestId }, 'unexpected error; closing the WebSocket');
    socket.close(closeCode.bug);
  }

  const admission = createAdmission({
    known,
    verify,
    onText: (text, callerId) => void onText(text, callerId),
    onRefused: (problem) => {
      void sendProblem(undefined, renderProblem(problem, { idioma, instance }));
      socket.close(closeCode.policy, problem.slug);
    },
    onBug,
    signal: disconnected.signal,
  });
  listen(socket, disconnected, admission);
  try {
    const end = await bridge({
      live,
      serviceClient,
      queries,
      answer: (numero, body) => send({ numero, ...body }),
      refuse: ({ numero, target }, verdict) =>
        sendProblem(numero, renderVerdict(operation, verdict, { target, idioma, formato: 'json' })),
      signal: disconnected.signal,
      requestId,
      traceparent,
    });
    if (end !== 'gone') socket.close(closeCode.tryAgainLater, end.unavailable);
  } catch (err) {
    onBug(err);
  }
}

/** Passes text messages on within the rate limit, and detects a client that is gone. */
function listen(socket: WebSocket, disconnected: AbortController, onText: (text: string) => void): void {
  const bucket = new TokenBucket(burst, queriesPerSecond);
  let alive = true;
  const pinging = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, pingMs);
  socket.on('pong', () => {
    alive = true;
  });
  socket.on('message', (data, isBinary) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (!bucket.take()) return socket.close(closeCode.policy, 'too many messages');
    if (isBinary) return socket.close(closeCode.unsupported, 'only text');
    onText(data.toString());
  });
  // ws itself answers protocol errors (1002, 1007, 1009), then emits `close`.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clearInterval(pinging);
    disconnected.abort();
  });
}
