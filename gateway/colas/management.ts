import type { Logger } from 'pino';
import { urlParts } from '../../runtime/url-parts.ts';

/** Facts that only RabbitMQ's management API provides. */
export interface Management {
  /** All queues of the virtual host; undefined when the API fails. */
  queues(): Promise<readonly ManagedQueue[] | undefined>;
  queue(name: string): Promise<ManagedQueue | undefined>;
  /** The alarms of RabbitMQ's nodes, `memory` or `disk`; undefined when the API fails. */
  alarms(): Promise<readonly string[] | undefined>;
}

export interface ManagedQueue {
  readonly name: string;
  /** Messages delivered but not acknowledged, some seconds old at most. Undefined for a queue declared just now. */
  readonly unacked: number | undefined;
}

const answerMs = 800;
/** Maximum number of queues listed. */
const maxQueues = 500;
const columns = 'columns=name,messages_unacknowledged';

/**
 * Creates a client of the management API at `url` (`http://user:password@host:15672`) for the virtual host of
 * `brokerUrl`. Its methods never reject: the API is optional.
 */
export function createManagement(url: string, brokerUrl: string, log: Logger): Management {
  const { origin, pathname } = new URL(url);
  const { user, password } = urlParts(url);
  const base = `${origin}${pathname.replace(/\/$/, '')}/api`;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  // A URL that names no virtual host means `/` (https://www.rabbitmq.com/docs/uri-spec).
  const vhost = encodeURIComponent(urlParts(brokerUrl).path || '/');

  async function ask(path: string): Promise<unknown> {
    try {
      const answer = await fetch(`${base}/${path}`, {
        headers: { authorization },
        redirect: 'error',
        signal: AbortSignal.timeout(answerMs),
      });
      if (answer.ok) return await answer.json();
      await answer.body?.cancel();
      if (answer.status !== 404)
        log.warn({ status: answer.status }, 'management API refused; answering without its figures');
    } catch (err) {
      log.debug({ err }, 'management API unreachable; answering without its figures');
    }
    return undefined;
  }

  return {
    queues: async () => {
      const page = await ask(`queues/${vhost}?page=1&page_size=${maxQueues}&sort=name&${columns}`);
      const items = (page as { items?: unknown } | undefined)?.items;
      return Array.isArray(items) ? items.flatMap((item) => managed(item) ?? []) : undefined;
    },
    queue: async (name) => managed(await ask(`queues/${vhost}/${encodeURIComponent(name)}?${columns}`)),
    alarms: async () => {
      const nodes = await ask('nodes?columns=mem_alarm,disk_free_alarm');
      if (!Array.isArray(nodes)) return undefined;
      return [
        ...(nodes.some((node) => node?.mem_alarm === true) ? ['memory'] : []),
        ...(nodes.some((node) => node?.disk_free_alarm === true) ? ['disk'] : []),
      ];
    },
  };
}

function managed(item: unknown): ManagedQueue | undefined {
  const { name, messages_unacknowledged: unacked } = (item ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string') return undefined;
  return { name, unacked: typeof unacked === 'number' ? unacked : undefined };
}
