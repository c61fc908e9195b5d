import type { Delivery } from './subscriber.ts';
import type { queuesOf } from './topology.ts';

/** The queue to which a message returns, and the headers that it gets there. */
export interface WayBack {
  readonly queue: string;
  readonly headers?: Readonly<Record<string, number>>;
}

/** An entry of `x-death`, the last death first: https://www.rabbitmq.com/docs/dlx#effects */
interface Death {
  readonly queue?: unknown;
  readonly reason?: unknown;
}

/** Reasons by which a message leaves a queue that nobody consumes: policies, such as `message-ttl`. */
const unread: readonly unknown[] = ['expired', 'maxlen'];
/** Counts the returns of a request that has killed workers, which may do it again. */
export const returnsHeader = 'x-aislada';
const maxReturns = 3;

/**
 * Returns the way back of a message in the quarantine that was never run in the isolation queue: it expired there.
 * Undefined for poison: `delivery_limit`, `rejected` (a worker has refused it), or a message that never died.
 */
export function wayBack(
  { properties }: Delivery,
  { work, isolation }: ReturnType<typeof queuesOf>,
): WayBack | undefined {
  const deaths = deathsIn(properties.headers?.['x-death']);
  if (!unread.includes(deaths[0]?.reason)) return undefined;
  const returns = Number(properties.headers?.[returnsHeader] ?? 0);
  const hasKilled = deaths.some(({ queue, reason }) => queue === work && !unread.includes(reason));
  if (returns === 0 && !hasKilled) return { queue: work };
  return returns < maxReturns ? { queue: isolation, headers: { [returnsHeader]: returns + 1 } } : undefined;
}

/** Anybody may publish to a queue, with any header. */
function deathsIn(header: unknown): readonly Death[] {
  return Array.isArray(header) ? header.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}
