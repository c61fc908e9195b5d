import { freemem, release, totalmem, type, uptime } from 'node:os';
import type { ServiceClient } from '../calls/service-client.ts';
import type { Context, RouteHandler } from '../http/state.ts';
import type { Ledger } from '../solicitudes/ledger.ts';
import { timed } from './timed.ts';

/** RabbitMQ's state as the gateway sees it; `desactivado` when no broker is configured. Extra members are shown as is. */
export interface BrokerState {
  readonly estado: 'listo' | 'conectando' | 'bloqueado' | 'desactivado';
  /** Why there is no connection: RabbitMQ's own reason, or the network's. */
  readonly motivo?: string;
  /** Null while unknown. */
  readonly version?: string | null;
  readonly latencia_ms?: number | null;
  /** The resources that RabbitMQ is short of, `memory` or `disk`; null while unknown. */
  readonly alarmas?: readonly string[] | null;
  /** Services whose queues cannot be used, with RabbitMQ's reason. */
  readonly errores?: readonly { readonly servicio: string; readonly motivo: string }[];
}

export interface SaludDeps {
  readonly clients: readonly ServiceClient[];
  readonly ledger: Pick<Ledger, 'probe' | 'countOpen'>;
  /** Answers within a second. */
  readonly broker: () => BrokerState | Promise<BrokerState>;
  /** Counts the queue consumers of a service; undefined when the count is unavailable. */
  readonly consumers: (service: string) => Promise<number | undefined>;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The version of this program. */
  readonly version: string;
}

export interface SaludHandlers {
  /** `GET /salud`: the state of every part; 200, or 503 when the ledger is not writable. */
  readonly salud: RouteHandler;
  /** `GET /salud/viva`: liveness; the process answers. */
  readonly viva: RouteHandler;
  /** `GET /salud/preparada`: readiness; the ledger is writable. Services that are down do not count: 202 covers them. */
  readonly preparada: RouteHandler;
}

/** Timeout of a service's health probe. The client's own bound is longer, so that it can report the timeout. */
const serviceMs = 500;
const partMs = 900;
const ledgerMs = 1000;

/** Creates the health handlers. Each answers within about a second, even when a part hangs. */
export function createSalud(deps: SaludDeps): SaludHandlers {
  return {
    salud: async (ctx) => {
      const [servicios, registro, rabbitmq] = await Promise.all([
        Promise.all(deps.clients.map((client) => describeService(client, deps.consumers))),
        describeLedger(deps.ledger),
        deps.broker(),
      ]);
      const sano =
        registro.escribible &&
        servicios.every(({ estado }) => estado === 'sano') &&
        ['listo', 'desactivado'].includes(rabbitmq.estado) &&
        (rabbitmq.errores ?? []).length === 0;
      const { rss, heapUsed, heapTotal } = process.memoryUsage();
      send(ctx, registro.escribible ? 200 : 503, {
        estado: sano ? 'sano' : 'degradado',
        servicios: Object.fromEntries(servicios.map(({ servicio, ...state }) => [servicio, state])),
        registro,
        rabbitmq,
        versiones: { archivero: deps.version, node: process.versions.node },
        sistema: {
          nombre: `${type()} ${release()}`,
          memoria_total_bytes: totalmem(),
          memoria_libre_bytes: freemem(),
          segundos_en_marcha: Math.floor(uptime()),
        },
        memoria: { residente_bytes: rss, monton_usado_bytes: heapUsed, monton_total_bytes: heapTotal },
        iniciado: new Date(deps.startedAt).toISOString(),
        segundos_en_marcha: Math.floor(process.uptime()),
      });
    },
    viva: (ctx) => send(ctx, 200, { estado: 'viva' }),
    preparada: async (ctx) => {
      const probe = await timed(deps.ledger.probe(), ledgerMs);
      send(ctx, probe.ok ? 200 : 503, {
        estado: probe.ok ? 'preparada' : 'no_preparada',
        registro: { escribible: probe.ok, latencia_ms: probe.latencyMs },
      });
    },
  };
}

/** The `motivo` of an address whose family, IPv4 or IPv6, the service's host does not offer. */
const unusedFamily = 'familia-sin-uso';

/**
 * Describes a service: `sano` when all of its addresses answer, `degradado` when some do. When none does it is `por_cola`
 * if it has queue consumers (`MSERV1_GRPC=off`, or a machine that cannot be dialled), else `caido`. An address that
 * answers and cannot work has a `motivo`, such as `raiz-no-disponible`; so has one that does not count
 * (`familia-sin-uso`).
 */
async function describeService(client: ServiceClient, consumersOf: SaludDeps['consumers']) {
  const [probe, queue] = await Promise.all([
    timed(client.probe(serviceMs), partMs),
    timed(consumersOf(client.service), partMs),
  ]);
  const consumidores = queue.ok ? (queue.value ?? null) : null;
  const results = new Map((probe.ok ? probe.value : []).map((result) => [result.address, result]));
  const direcciones = client.addresses().map(({ address, breaker, unused }) => {
    const result = results.get(address);
    const responde = result?.ok ?? false;
    return {
      direccion: address,
      responde,
      latencia_ms: result === undefined ? null : Math.round(result.latencyMs * 10) / 10,
      // How far the service's clock is ahead.
      desfase_reloj_ms: result?.clockAheadMs === undefined ? null : Math.round(result.clockAheadMs),
      motivo: unused && !responde ? unusedFamily : result?.reason,
      disyuntor: breaker === 'open' ? 'abierto' : 'cerrado',
    };
  });
  const counted = direcciones.filter(({ motivo }) => motivo !== unusedFamily);
  const answering = counted.filter(({ responde }) => responde).length;
  // A service that says why it cannot answer cannot answer from its queue either.
  const explained = counted.some(({ motivo }) => motivo !== undefined);
  const unanswered = (consumidores ?? 0) > 0 && !explained ? 'por_cola' : 'caido';
  const estado = answering === 0 ? unanswered : answering < counted.length ? 'degradado' : 'sano';
  return { servicio: client.service, estado, consumidores, direcciones };
}

async function describeLedger(ledger: SaludDeps['ledger']) {
  const [probe, open] = await Promise.all([timed(ledger.probe(), partMs), timed(ledger.countOpen(), partMs)]);
  return {
    escribible: probe.ok,
    latencia_ms: probe.latencyMs,
    abiertas: open.ok ? open.value : null,
  };
}

function send(ctx: Context, status: number, body: Readonly<Record<string, unknown>>): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = body;
}
