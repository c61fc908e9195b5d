import type { Acceptance, Estado, Solicitud } from './ledger.ts';

/** A solicitud as its caller sees it, with links under the prefix (empty or `/v1`) that was used. */
export function describeSolicitud(
  row: Acceptance & Partial<Solicitud>,
  prefix: string,
): {
  readonly solicitud: unknown;
  readonly enlaces: { readonly estado: string; readonly respuesta: string };
} {
  const self = `${prefix}/solicitudes/${row.id}`;
  const estado: Estado = row.state ?? 'aceptada';
  return {
    solicitud: {
      id: row.id,
      operacion: row.operation,
      estado,
      creada: iso(row.acceptedAt),
      vence: iso(row.expiresAt),
      ...(row.closedAt !== undefined && { terminada: iso(row.closedAt) }),
      ...(row.history !== undefined && {
        intentos: row.attempts,
        historia: row.history.map((step) => ({ estado: step.state, momento: iso(step.at) })),
      }),
    },
    enlaces: { estado: self, respuesta: `${self}/respuesta` },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
