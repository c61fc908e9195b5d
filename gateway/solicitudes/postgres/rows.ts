import type { Estado, Solicitud } from '../ledger.ts';

/** A row in pg's types: BIGINT as text, JSON parsed. */
export interface Row {
  readonly id: string;
  readonly service: string;
  readonly operation: string;
  readonly request: string;
  readonly target: string;
  readonly formato: Solicitud['view']['formato'];
  readonly idioma: Solicitud['view']['idioma'];
  readonly caller: string;
  readonly request_id: string;
  readonly traceparent: string;
  readonly witness: string;
  readonly accepted_at: string;
  readonly expires_at: string;
  readonly key: string | null;
  readonly retry_of: string | null;
  readonly state: Estado;
  readonly attempts: number;
  readonly published_at: string | null;
  readonly interruptions: number;
  readonly closed_at: string | null;
  readonly history: Solicitud['history'];
}

/** The columns of a `Solicitud`, without the answer, which may be large. */
export const columns = `id, service, operation, request, target, formato, idioma, caller, request_id, traceparent,
  witness, accepted_at, expires_at, key, retry_of, state, attempts,
  CASE WHEN published_at >= (SELECT lost_before FROM archivero.ledger) THEN published_at END AS published_at,
  interruptions, closed_at, history`;

export function toSolicitud(row: Row): Solicitud {
  const { target, formato, idioma } = row;
  return {
    id: row.id,
    service: row.service,
    operation: row.operation,
    request: row.request,
    view: { target, formato, idioma },
    caller: row.caller,
    requestId: row.request_id,
    traceparent: row.traceparent,
    replyToken: row.witness,
    acceptedAt: Number(row.accepted_at),
    expiresAt: Number(row.expires_at),
    key: row.key ?? undefined,
    retryOf: row.retry_of ?? undefined,
    state: row.state,
    attempts: row.attempts,
    publishedAt: row.published_at === null ? undefined : Number(row.published_at),
    interruptions: row.interruptions,
    closedAt: row.closed_at === null ? undefined : Number(row.closed_at),
    history: row.history,
  };
}
