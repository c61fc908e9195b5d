import { classify } from '../calls/classifier.ts';
import { reasonOf, type ServiceClient, type Unreachable } from '../calls/service-client.ts';
import { StreamBrokenError } from '../calls/transport.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { OperationLive } from '../operations/operation.ts';
import type { Mailbox } from './mailbox.ts';

/** A parsed query. */
export interface LiveQuery {
  readonly numero: number;
  readonly request: unknown;
  /** The target of the equivalent GET. */
  readonly target: string;
}

export interface BridgeOptions {
  readonly live: OperationLive;
  readonly serviceClient: ServiceClient;
  /** The client's queries. The mailbox keeps only the newest, so that a slow service skips the older ones. */
  readonly queries: Mailbox<LiveQuery>;
  /** Resolves when the client has received the answer. */
  readonly answer: (numero: number, body: object) => Promise<void>;
  readonly refuse: (query: LiveQuery, verdict: Verdict & { ok: false }) => Promise<void>;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly traceparent: string;
}

/**
 * Connects a client to the service over one bidirectional call until the client disconnects. A verdict on a query ends
 * the call but not the connection: the next query opens a new call.
 * @returns `gone` when the client disconnected, else that the service cannot be reached
 */
export async function bridge(options: BridgeOptions): Promise<'gone' | Unavailable> {
  const { queries, signal } = options;
  let repeated: LiveQuery | undefined;
  for (;;) {
    const first = repeated ?? (await queries.take(signal));
    if (first === undefined) return 'gone';
    const end = await makeCall(first, options);
    if (end === 'gone' || 'unavailable' in end) return end;
    const { verdict, latest, unanswered } = end;
    // The verdict carries no number. With several queries unanswered it may be an older one's: repeat the latest alone.
    repeated = unanswered > 1 ? latest : undefined;
    if (repeated === undefined) await options.refuse(latest, verdict);
  }
}

/** The service cannot be reached, for the reason that it gives itself, if any. */
export interface Unavailable {
  readonly unavailable: string | undefined;
}

interface Refusal {
  readonly verdict: Verdict & { ok: false };
  readonly latest: LiveQuery;
  /** Number of unanswered queries. */
  readonly unanswered: number;
}

/** Makes one call, from its first query to its end. */
async function makeCall(
  first: LiveQuery,
  { live, serviceClient, queries, answer, signal, requestId, traceparent }: BridgeOptions,
): Promise<'gone' | Unavailable | Refusal> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  let latest = first;
  let unanswered = 1;
  async function* requests(): AsyncGenerator<unknown, void> {
    yield live.toRequest(first.numero, first.request);
    for (;;) {
      const query = await queries.take(stop);
      if (query === undefined) return;
      latest = query;
      unanswered++;
      yield live.toRequest(query.numero, query.request);
    }
  }
  try {
    const call = { method: live.method, requests: requests() };
    const result = await serviceClient.stream(call, { signal, requestId, traceparent });
    if (result.kind === 'gone') return 'gone';
    if (result.kind === 'unreachable') return unavailable(result);
    if (!result.ok) return { verdict: result, latest, unanswered };
    for await (const response of result.response) {
      const { numero, body } = live.present(response);
      // The answer to an older query may arrive after the newer query was sent.
      unanswered = numero === latest.numero ? 0 : 1;
      await answer(numero, body);
    }
    // A service that shuts down ends its streams without an error.
    return signal.aborted ? 'gone' : { unavailable: undefined };
  } catch (error) {
    if (!(error instanceof StreamBrokenError)) throw error;
    const outcome = classify(error.failure);
    if (outcome.kind === 'gone') return 'gone';
    if (outcome.kind === 'unreachable') return unavailable(error);
    return { verdict: outcome, latest, unanswered };
  } finally {
    ended.abort();
  }
}

function unavailable({ failure }: Pick<Unreachable, 'failure'>): Unavailable {
  return { unavailable: reasonOf(failure) };
}
