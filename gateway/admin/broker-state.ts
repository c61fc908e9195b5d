import type { Publisher } from '../../runtime/amqp/publisher.ts';
import type { Management } from '../colas/management.ts';
import type { BrokerState } from './salud.ts';
import { timed } from './timed.ts';

const answerMs = 900;

/**
 * How RabbitMQ is, by a round trip over the connection that publishes. Of alarms the management API knows before they
 * concern us; without it, what RabbitMQ says to those that it reads nothing from any more.
 */
export async function describeBroker(
  publisher: Pick<Publisher, 'state' | 'ping'> | undefined,
  management: Pick<Management, 'alarms'> | undefined,
): Promise<BrokerState> {
  if (publisher === undefined) return { estado: 'desactivado' };
  const { state } = publisher;
  const connected = state.kind === 'ready' || state.kind === 'blocked';
  if (!connected) return { estado: 'conectando', version: null, latencia_ms: null, alarmas: null };
  const [ping, told] = await Promise.all([
    timed(publisher.ping(), answerMs),
    timed(management?.alarms() ?? Promise.resolve(undefined), answerMs),
  ]);
  return {
    estado: state.kind === 'ready' ? 'listo' : 'bloqueado',
    version: ping.ok ? ping.value : null,
    latencia_ms: ping.ok ? ping.latencyMs : null,
    alarmas: (told.ok ? told.value : undefined) ?? alarmsIn(state),
  };
}

/** RabbitMQ's words are `low on memory`, `low on disk` or `low on memory & disk`. It tells only those who publish. */
function alarmsIn(state: Publisher['state']): readonly string[] | null {
  return state.kind === 'blocked' ? ['memory', 'disk'].filter((what) => state.reason.includes(what)) : null;
}
