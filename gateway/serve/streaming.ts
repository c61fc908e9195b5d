import { renderVerdict } from '../answers/renderer.ts';
import { sendAnswer } from '../answers/sender.ts';
import type { Caller } from '../calls/service-client.ts';
import { StreamBrokenError } from '../calls/transport.ts';
import { type BadParameter, BadQueryError } from '../http/bad-query.ts';
import { goneSignal } from '../http/disconnect-signal.ts';
import { announceLines, sendLines } from '../http/ndjson.ts';
import type { Preferences } from '../http/prefer.ts';
import type { Context } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation, OperationStream } from '../operations/operation.ts';
import { refuseUnreachable } from './unreachable.ts';

export interface StreamingDeps {
  readonly caller: Caller;
  /** A client that takes nothing for so long is disconnected, milliseconds. */
  readonly stallMs: number;
  readonly metrics: Pick<Metrics, 'fallback'>;
}

/**
 * Answers with all that an operation has, a line of JSON for each entry as the service finds it, and a last line that says
 * that it is the last: `{"fin":true,"completo":true,"total":200000}`. It is made by a call or not at all: a stream
 * does not wait in a queue. A HEAD gets the headers as soon as the service is heard.
 * @throws BadQueryError for what has no meaning in a stream: pages, and answering later
 */
export async function serveStream(
  ctx: Context,
  operation: Operation,
  stream: OperationStream,
  asked: { readonly request: unknown; readonly query: URLSearchParams; readonly prefer: Preferences },
  { caller, stallMs, metrics }: StreamingDeps,
): Promise<void> {
  refuseWhatIsNoStream(asked.query, asked.prefer);
  const { requestId, traceparent, target, idioma } = ctx.state;
  const enough = new AbortController();
  const result = await caller.stream(
    { method: stream.method, request: stream.toRequest(asked.request) },
    { signal: AbortSignal.any([goneSignal(ctx), enough.signal]), requestId, traceparent },
  );
  if (result.kind === 'gone') {
    ctx.status = 499;
    return;
  }
  if (result.kind === 'unreachable') {
    metrics.fallback(caller.service, 'refused', result.proxyError);
    return refuseUnreachable(ctx, result);
  }
  const { verdict } = result;
  if (!verdict.ok) {
    return sendAnswer(ctx, renderVerdict(operation, verdict, { target, idioma, formato: 'json' }), 'grpc');
  }
  if (ctx.method === 'HEAD') {
    enough.abort();
    return announceLines(ctx);
  }
  try {
    await sendLines(ctx, linesOf(stream, verdict.response), stallMs);
  } catch (error) {
    // The caller has logged why, and the client sees that the last line is missing.
    if (!(error instanceof StreamBrokenError)) throw error;
  }
}

function refuseWhatIsNoStream(query: URLSearchParams, prefer: Preferences): void {
  const refused = ['limite', 'cursor'].filter((name) => query.has(name));
  const errores: BadParameter[] = refused.map((parametro) => incompatible(parametro, 'formato=ndjson'));
  if (prefer.respondAsync) errores.push(incompatible('formato', 'Prefer: respond-async'));
  if (errores.length > 0) throw new BadQueryError(errores);
}

function incompatible(parametro: string, otro: string): BadParameter {
  return { parametro, motivo: 'incompatible-con', valores: { otro } };
}

/** One text for each message: a write for each line would cost more than the line. */
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
    if (lines.length > 0) yield textOf(lines);
  }
  yield textOf([{ fin: true, completo, total, ...more }]);
}

function textOf(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
