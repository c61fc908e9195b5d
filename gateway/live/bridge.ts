import { classify } from '../calls/classifier.ts';
import type { Caller } from '../calls/service-client.ts';
import { StreamBrokenError } from '../calls/transport.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { OperationLive } from '../operations/operation.ts';
import type { Mailbox } from './mailbox.ts';

/** A query that was understood. */
export interface LiveQuery {
  readonly numero: number;
  readonly request: unknown;
  /** The GET that asks the same. */
  readonly target: string;
}

export interface BridgeOptions {
  readonly live: OperationLive;
  readonly caller: Caller;
  /** What the client asks; it holds the newest query only, so that a service that is slow is not sent the others. */
  readonly queries: Mailbox<LiveQuery>;
  /** Resolves when the client has taken it. */
  readonly answer: (numero: number, body: object) => Promise<void>;
  readonly refuse: (query: LiveQuery, verdict: Verdict & { ok: false }) => Promise<void>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly traceparent: string;
}

/**
 * Brings a client's queries to the service by one bidirectional call and its answers back, until the client is gone. A
 * verdict on a query ends the call and not the conversation: the next query gets a new one.
 * @returns whether it was the client that ended it; else the service is away
 */
export async function bridge(options: BridgeOptions): Promise<'gone' | 'unavailable'> {
  const { queries, signal } = options;
  let again: LiveQuery | undefined;
  for (;;) {
    const first = again ?? (await queries.take(signal));
    if (first === undefined) return 'gone';
    const end = await converse(first, options);
    if (end === 'gone' || end === 'unavailable') return end;
    const { verdict, latest, asked } = end;
    // It is told without a number: of several queries it may be an older one's, so the latest is asked again, alone.
    again = asked > 1 ? latest : undefined;
    if (again === undefined) await options.refuse(latest, verdict);
  }
}

interface Refusal {
  readonly verdict: Verdict & { ok: false };
  readonly latest: LiveQuery;
  /** How many queries have had no answer. */
  readonly asked: number;
}

/** One call, from its first query on. */
async function converse(
  first: LiveQuery,
  { live, caller, queries, answer, signal, requestId, traceparent }: BridgeOptions,
): Promise<'gone' | 'unavailable' | Refusal> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  let latest = first;
  let asked = 1;
  async function* requests(): AsyncGenerator<unknown, void> {
    yield live.toRequest(first.numero, first.request);
    for (;;) {
      const query = await queries.take(either);
      if (query === undefined) return;
      latest = query;
      asked++;
      yield live.toRequest(query.numero, query.request);
    }
  }
  try {
    const call = { method: live.method, requests: requests() };
    const result = await caller.stream(call, { signal, requestId, traceparent });
    if (result.kind === 'gone') return 'gone';
    if (result.kind === 'unreachable') return 'unavailable';
    const { verdict } = result;
    if (!verdict.ok) return { verdict, latest, asked };
    for await (const response of verdict.response) {
      const { numero, body } = live.present(response);
      // An answer to an older query was on its way already when the newer one was sent.
      asked = numero === latest.numero ? 0 : 1;
      await answer(numero, body);
    }
    // A service that is about to stop ends its calls so.
    return signal.aborted ? 'gone' : 'unavailable';
  } catch (error) {
    if (!(error instanceof StreamBrokenError)) throw error;
    const means = classify(error.failure);
    if (means.kind === 'gone') return 'gone';
    if (means.kind === 'unreachable') return 'unavailable';
    return { verdict: { ok: false, code: means.code, message: means.message }, latest, asked };
  } finally {
    ended.abort();
  }
}
