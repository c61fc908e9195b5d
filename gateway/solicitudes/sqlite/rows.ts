import type { SQLOutputValue } from 'node:sqlite';
import type { RenderedAnswer } from '../../http/rendered-answer.ts';
import type { Estado, Solicitud } from '../ledger.ts';

export type Row = Record<string, SQLOutputValue>;

/** The columns of a `Solicitud`, without the answer, which may be large. */
export const columns = `id, service, operation, request, target, formato, idioma, caller, request_id, traceparent,
  witness, accepted_at, expires_at, key, retry_of, state, attempts,
  iif(published_at >= (SELECT lost_before FROM ledger), published_at, NULL) AS published_at, interruptions, closed_at, history`;

export function toSolicitud(row: Row): Solicitud {
  return {
    id: String(row['id']),
    service: String(row['service']),
    operation: String(row['operation']),
    request: String(row['request']),
    view: {
      target: String(row['target']),
      formato: String(row['formato']) as Solicitud['view']['formato'],
      idioma: String(row['idioma']) as Solicitud['view']['idioma'],
    },
    caller: String(row['caller']),
    requestId: String(row['request_id']),
    traceparent: String(row['traceparent']),
    replyToken: String(row['witness']),
    acceptedAt: Number(row['accepted_at']),
    expiresAt: Number(row['expires_at']),
    key: row['key'] === null ? undefined : String(row['key']),
    retryOf: row['retry_of'] === null ? undefined : String(row['retry_of']),
    state: String(row['state']) as Estado,
    attempts: Number(row['attempts']),
    publishedAt: row['published_at'] === null ? undefined : Number(row['published_at']),
    interruptions: Number(row['interruptions']),
    closedAt: row['closed_at'] === null ? undefined : Number(row['closed_at']),
    history: JSON.parse(String(row['history'])) as Solicitud['history'],
  };
}

/** An answer as sent between threads, where a `Buffer` arrives as a plain Uint8Array. */
export interface AnswerBytes extends Omit<RenderedAnswer, 'body'> {
  readonly body: Uint8Array<ArrayBuffer>;
}

export function toAnswer(row: Row): AnswerBytes {
  return {
    status: Number(row['answer_status']),
    headers: JSON.parse(String(row['answer_headers'])) as Record<string, string>,
    body: row['answer_body'] as Uint8Array<ArrayBuffer>,
  };
}
