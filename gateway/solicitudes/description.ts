import type { Accepted } from './acceptance.ts';
import type { Solicitud } from './ledger.ts';

interface Description {
  readonly solicitud: Readonly<Record<string, unknown>>;
  readonly enlaces: { readonly estado: string; readonly respuesta: string; readonly eventos: string };
}

/** Describes a solicitud to its caller. Links keep the request's prefix (empty or `/v1`). */
export function describeAccepted(row: Accepted, prefix: string): Description {
  const self = `${prefix}/solicitudes/${row.id}`;
  return {
    solicitud: {
      id: row.id,
      operacion: row.operation,
      estado: row.state ?? 'aceptada',
      creada: iso(row.acceptedAt),
      vence: iso(row.expiresAt),
      terminada: row.closedAt === undefined ? undefined : iso(row.closedAt),
      reintento_de: row.retryOf,
      intentos: row.attempts,
      historia: row.history?.map((step) => ({ estado: step.state, momento: iso(step.at) })),
    },
    enlaces: {
      estado: self,
      respuesta: `${self}/respuesta`,
      eventos: `${self}/eventos`,
      ...(row.state === 'fallida' && { reintentar: `${prefix}/cuarentena/${row.id}/reintentar` }),
    },
  };
}

/** Describes a solicitud as an element of a list: flat, with the requested address. */
export function describeListed(row: Solicitud, prefix: string): Readonly<Record<string, unknown>> {
  const { solicitud, enlaces } = describeAccepted(row, prefix);
  return { ...solicitud, peticion: row.view.target, enlaces };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
