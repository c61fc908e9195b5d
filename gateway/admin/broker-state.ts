import type { LinkState } from '../../runtime/amqp/link.ts';
import type { Management } from '../colas/management.ts';
import type { Broker } from '../solicitudes/broker.ts';
import type { BrokerState } from './salud.ts';
import { timed } from './timed.ts';

const answerMs = 900;

/**
 * Describes RabbitMQ's state, measured by a round trip on the publisher's connection. Alarms come from the management
 * API; without it, from the reason that RabbitMQ gives when it blocks the connection.
 */
export async function describeBroker(
  broker: Pick<Broker, 'state' | 'publisher' | 'serviceQueues'> | undefined,
  management: Pick<Management, 'alarms'> | undefined,
): Promise<BrokerState> {
  if (broker === undefined) return { estado: 'desactivado' };
  const { state, publisher, serviceQueues } = broker;
  if (state.kind === 'connecting' || state.kind === 'stopped') {
    const unknown = { version: null, latencia_ms: null, alarmas: null };
    return { estado: 'conectando', ...unknown, ...motivoOf(state) };
  }
  const [ping, alarms] = await Promise.all([
    timed(publisher.ping(), answerMs),
    timed(management?.alarms() ?? Promise.resolve(undefined), answerMs),
  ]);
  return {
    estado: state.kind === 'ready' ? 'listo' : 'bloqueado',
    version: ping.ok ? ping.value : null,
    latencia_ms: ping.ok ? ping.latencyMs : null,
    alarmas: (alarms.ok ? alarms.value : undefined) ?? alarmsIn(state),
    errores: [...serviceQueues.failures].map(([servicio, motivo]) => ({ servicio, motivo })),
  };
}

function motivoOf(state: LinkState): { readonly motivo?: string } {
  return state.kind === 'connecting' && state.failure !== undefined ? { motivo: state.failure } : {};
}

/** RabbitMQ's reason is `low on memory`, `low on disk` or `low on memory & disk`. Only publishers receive it. */
function alarmsIn(state: LinkState): readonly string[] | null {
  return state.kind === 'blocked'
    ? ['memory', 'disk'].filter((resource) => state.reason.includes(resource))
    : null;
}
