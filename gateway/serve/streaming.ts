import { renderVerdict } from '../answers/renderer.ts';
import { sendAnswer } from '../answers/sender.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import { StreamBrokenError } from '../calls/transport.ts';
import { type BadParameter, BadQueryError } from '../http/bad-query.ts';
import { announceLines, jsonLines, sendLines } from '../http/ndjson.ts';
import { assertMatches } from '../http/preconditions.ts';
import type { Preferences } from '../http/prefer.ts';
import type { Context } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { OperationStream } from '../operations/operation.ts';
import type { ServedRequest } from './request.ts';
import { refuseUnreachable } from './unreachable.ts';

export interface StreamingDeps {
  readonly serviceClient: ServiceClient;
  /** A client that receives nothing for this long is disconnected, in milliseconds. */
  readonly stallMs: number;
  readonly metrics: Pick<Metrics, 'fallback'>;
}

/**
 * Streams all entries of an operation, one JSON line each, as the service finds them. A last line such as
 * `{"fin":true,"completo":true,"total":200000}` makes a cut stream visible. A stream is made by a call and never queued. A
 * HEAD gets the headers when the service first responds.
 * @throws BadQueryError for paging parameters and `respond-async`
 */
export async function serveStream(
  ctx: Context,
  { operation, query, message, prefer, signal, requestId, traceparent }: ServedRequest,
  { serviceClient, stallMs, metrics }: StreamingDeps,
): Promise<void> {
  const { stream } = operation;
  if (stream === undefined) throw new TypeError(`${operation.name} has no stream`);
  refuseUnsupported(query, prefer);
  const { target, idioma } = ctx.state;
  const stop = new AbortController();
  const result = await serviceClient.stream(
    { method: stream.method, request: stream.toRequest(message) },
    { signal: AbortSignal.any([signal, stop.signal]), requestId, traceparent },
  );
  if (result.kind === 'gone') {
    ctx.status = 499;
    return;
  }
  if (result.kind === 'unreachable') {
    metrics.fallback(serviceClient.service, 'refused', result.proxyError);
    return refuseUnreachable(ctx, result);
  }
  if (!result.ok) {
    return sendAnswer(ctx, renderVerdict(operation, result, { target, idioma, formato: 'json' }), 'grpc');
  }
  try {
    assertMatches(ctx);
  } catch (error) {
    stop.abort();
    throw error;
  }
  if (ctx.method === 'HEAD') {
    stop.abort();
    return announceLines(ctx);
  }
  try {
    await sendLines(ctx, linesOf(stream, result.response), stallMs);
  } catch (error) {
    // The service client has logged the reason, and the missing last line tells the client.
    if (!(error instanceof StreamBrokenError)) throw error;
  }
}

function refuseUnsupported(query: URLSearchParams, prefer: Preferences): void {
  const refused = ['limite', 'cursor'].filter((name) => query.has(name));
  const errores: BadParameter[] = refused.map((parametro) => incompatible(parametro, 'formato=ndjson'));
  if (prefer.respondAsync) errores.push(incompatible('formato', 'Prefer: respond-async'));
  if (errores.length > 0) throw new BadQueryError(errores);
}

function incompatible(parametro: string, otro: string): BadParameter {
  return { parametro, motivo: 'incompatible-con', valores: { otro } };
}

/** Yields one text per message: a write per line would cost more than the line. */
async function* linesOf(
  stream: OperationStream,
  messages: AsyncIterable<unknown>,
): AsyncGenerator<string, void> {
  let total = 0;
  let completo = true;
  let more = {};
  for await (const message of messages) {
    const { entries, errors, end } = stream.present(message);
    total += entries.length;
    if (errors.length > 0) completo = false;
    more = { ...more, ...end };
    const lines = [...entries, ...errors.map((error) => ({ error }))];
    if (lines.length > 0) yield jsonLines(lines);
  }
  yield jsonLines([{ fin: true, completo, total, ...more }]);
}
