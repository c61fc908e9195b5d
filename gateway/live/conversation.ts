import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import { renderVerdict } from '../answers/renderer.ts';
import type { Caller } from '../calls/service-client.ts';
import { problemOfThrown } from '../http/error-mapping.ts';
import { renderProblem } from '../http/problem.ts';
import type { Idioma } from '../http/texts.ts';
import type { Authenticator, Verified } from '../identity/authenticator.ts';
import type { Operation, OperationLive } from '../operations/operation.ts';
import { createAdmission } from './admission.ts';
import { bridge, type LiveQuery } from './bridge.ts';
import { Mailbox } from './mailbox.ts';
import { numeroOf, parseMessage, queryOf } from './query-message.ts';
import { TokenBucket } from './token-bucket.ts';

export interface ConversationOptions {
  readonly operation: Operation;
  readonly live: OperationLive;
  readonly caller: Caller;
  readonly idioma: Idioma;
  /** Of the links: empty or `/v1`. */
  readonly prefix: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** Who asks, when the request said so. */
  readonly known: Verified | undefined;
  readonly verify: Authenticator['verify'];
  /** Charges the caller for a query, as for one that is a request of its own; throws when nothing is left. */
  readonly charge: ((caller: string) => Promise<void>) | undefined;
  /** A client that takes nothing for so long is disconnected, milliseconds. */
  readonly stallMs: number;
  readonly log: Logger;
}

/** Close codes: RFC 6455, section 7.4.1, and 1013 of its registry. */
const closeCode = { unsupported: 1003, policy: 1008, bug: 1011, tryAgainLater: 1013 };

/** Much more than anybody types. */
const queriesAtOnce = 100;
const queriesPerSecond = 50;
/** A client that has not answered a ping when the next one is due is gone. */
const pingMs = 30_000;

/**
 * Talks to a client until either side ends it: `{"nombre":"inf","numero":7}` is answered by `{"numero":7,"archivos":[…],…}`, or,
 * when there is something wrong with it, by `{"numero":7,"problema":{…}}`; nothing is said of a query that a newer one has
 * overtaken. A query without a number gets the next one.
 */
export async function converse(socket: WebSocket, options: ConversationOptions): Promise<void> {
  const { operation, live, caller, idioma, prefix, requestId, traceparent, stallMs, log } = options;
  const { known, verify, charge } = options;
  const instance = `${prefix}/${operation.name}/en_vivo`;
  const queries = new Mailbox<LiveQuery>();
  const gone = new AbortController();
  let lastNumero = 0;
  let newest: LiveQuery | undefined;

  /** Resolves when the message has left this process, and when there is nobody to take it any more. */
  function send(message: object): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stalled = setTimeout(() => socket.terminate(), stallMs);
    socket.send(JSON.stringify(message), () => resolve());
    return promise.finally(() => clearTimeout(stalled));
  }

  function sendProblem(numero: number | undefined, { body }: { readonly body: Buffer }): Promise<void> {
    return send({ numero: numero ?? null, problema: JSON.parse(body.toString()) });
  }

  async function onText(text: string, who: string): Promise<void> {
    let numero: number | undefined;
    try {
      const message = parseMessage(text);
      numero = numeroOf(message);
      const query = queryOf(message);
      numero ??= lastNumero + 1;
      lastNumero = numero;
      const { request } = operation.parse(query);
      const asked = { numero, request, target: `${prefix}/${operation.name}?${query}` };
      newest = asked;
      await charge?.(who);
      // Another one may have come while it was written down what this one costs.
      if (newest === asked) queries.put(asked);
    } catch (thrown) {
      const problem = problemOfThrown(thrown);
      if (problem === undefined) return onBug(thrown);
      void sendProblem(numero, renderProblem(problem, { idioma, instance }));
    }
  }

  function onBug(err: unknown): void {
    log.error({ err, requestId }, 'unexpected error');
    socket.close(closeCode.bug);
  }

  const admission = createAdmission({
    known,
    verify,
    onText: (text, who) => void onText(text, who),
    onRefused: (problem) => {
      void sendProblem(undefined, renderProblem(problem, { idioma, instance }));
      socket.close(closeCode.policy, problem.slug);
    },
    onBug,
    signal: gone.signal,
  });
  listen(socket, gone, admission);
  try {
    const end = await bridge({
      live,
      caller,
      queries,
      answer: (numero, body) => send({ numero, ...body }),
      refuse: ({ numero, target }, verdict) =>
        sendProblem(numero, renderVerdict(operation, verdict, { target, idioma, formato: 'json' })),
      signal: gone.signal,
      requestId,
      traceparent,
    });
    if (end === 'unavailable') socket.close(closeCode.tryAgainLater);
  } catch (err) {
    onBug(err);
  }
}

/** Gives every message, as long as they are text and not too many, and watches whether the client is there. */
function listen(socket: WebSocket, gone: AbortController, onText: (text: string) => void): void {
  const bucket = new TokenBucket(queriesAtOnce, queriesPerSecond);
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
  // What breaks the protocol (1002, 1007, 1009) is answered by ws itself, and followed by `close`.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    clearInterval(pinging);
    gone.abort();
  });
}
