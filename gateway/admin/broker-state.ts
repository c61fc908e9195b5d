import type { Publisher } from '../../runtime/amqp/publisher.ts';
import type { Management } from '../colas/management.ts';
import type { BrokerState } from './salud.ts';
import { timed } from './timed.ts';

const answerMs = 900;

/**
 * Describes RabbitMQ's state, measured by a round trip on the publisher's connection. Alarms come from the management
 * API; without it, from the reason that RabbitMQ gives when it blocks the connection.
 */
export async function describeBroker(
  publisher: Pick<Publisher, 'state' | 'ping'> | undefined,
  management: Pick<Management, 'alarms'> | undefined,
): Promise<BrokerState> {
  if (publisher === undefined) return { estado: 'desactivado' };
  const { state } = publisher;
  const connected = state.kind === 'ready' || state.kind === 'blocked';
  if (!connected) return { estado: 'conectando', version: null, latencia_ms: null, alarmas: null };
  const [ping, alarms] = await Promise.all([
    timed(publisher.ping(), answerMs),
    timed(management?.alarms() ?? Promise.resolve(undefined), answerMs),
  ]);
  return {
    estado: state.kind === 'ready' ? 'listo' : 'bloqueado',
    version: ping.ok ? ping.value : null,
    latencia_ms: ping.ok ? ping.latencyMs : null,
    alarmas: (alarms.ok ? alarms.value : undefined) ?? alarmsIn(state),
  };
}

/** RabbitMQ's reason is `low on memory`, `low on disk` or `low on memory & disk`. Only publishers receive it. */
function alarmsIn(state: Publisher['state']): readonly string[] | null {
  return state.kind === 'blocked'
    ? ['memory', 'disk'].filter((resource) => state.reason.includes(resource))
    : null;
}
