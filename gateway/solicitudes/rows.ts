import type { Estado, Solicitud } from './ledger.ts';

/** A row as a database driver returns it. pg gives BIGINT as text and JSON parsed; SQLite gives JSON as text. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Returns the columns of a `Solicitud`, without the answer, which may be large.
 * @param ledger the table that holds `lost_before`
 */
export function solicitudColumns(ledger: string): string {
  return `id, service, operation, request, target, formato, idioma, caller, request_id, traceparent,
    witness, accepted_at, expires_at, key, retry_of, state, attempts,
    CASE WHEN published_at >= (SELECT lost_before FROM ${ledger}) THEN published_at END AS published_at,
    interruptions, closed_at, history`;
}

/** Converts a row. The reply token keeps its earlier name, witness, in the databases. */
export function toSolicitud(row: Row): Solicitud {
  const text = (column: string): string => String(row[column]);
  const number = (column: string): number => Number(row[column]);
  const isNull = (column: string): boolean => row[column] === null;
  const history = row['history'];
  return {
    id: text('id'),
    service: text('service'),
    operation: text('operation'),
    request: text('request'),
    view: {
      target: text('target'),
      formato: text('formato') as Solicitud['view']['formato'],
      idioma: text('idioma') as Solicitud['view']['idioma'],
    },
    caller: text('caller'),
    requestId: text('request_id'),
    traceparent: text('traceparent'),
    replyToken: text('witness'),
    acceptedAt: number('accepted_at'),
    expiresAt: number('expires_at'),
    key: isNull('key') ? undefined : text('key'),
    retryOf: isNull('retry_of') ? undefined : text('retry_of'),
    state: text('state') as Estado,
    attempts: number('attempts'),
    publishedAt: isNull('published_at') ? undefined : number('published_at'),
    interruptions: number('interruptions'),
    closedAt: isNull('closed_at') ? undefined : number('closed_at'),
    history: (typeof history === 'string' ? JSON.parse(history) : history) as Solicitud['history'],
  };
}
