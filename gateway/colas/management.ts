import type { Logger } from 'pino';

/** What only RabbitMQ's management API tells. */
export interface Management {
  /** All queues of our virtual host; undefined when it does not answer as it should. */
  queues(): Promise<readonly ManagedQueue[] | undefined>;
  queue(name: string): Promise<ManagedQueue | undefined>;
  /** The alarms of its nodes: `memory`, `disk`; undefined when it does not answer as it should. */
  alarms(): Promise<readonly string[] | undefined>;
}

export interface ManagedQueue {
  readonly name: string;
  /** Delivered and not acknowledged; up to some seconds old. Undefined for a queue that it has just heard of. */
  readonly unacked: number | undefined;
}

const answerMs = 800;
/** Names of so many queues, and no more, are worth being shown. */
const mostQueues = 500;
const columns = 'columns=name,messages_unacknowledged';

/**
 * Asks the management API below `url` (`http://user:password@host:15672`) about the virtual host of `brokerUrl`. Never
 * rejects: it is an extra.
 */
export function createManagement(url: string, brokerUrl: string, log: Logger): Management {
  const { username, password, origin, pathname } = new URL(url);
  const base = `${origin}${pathname.replace(/\/$/, '')}/api`;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const vhost = encodeURIComponent(vhostOf(brokerUrl));

  async function ask(path: string): Promise<unknown> {
    try {
      const answer = await fetch(`${base}/${path}`, {
        headers: { authorization },
        redirect: 'error',
        signal: AbortSignal.timeout(answerMs),
      });
      if (answer.ok) return await answer.json();
      await answer.body?.cancel();
      if (answer.status !== 404) log.warn({ status: answer.status }, 'the management API refused to answer');
    } catch (err) {
      log.debug({ err }, 'the management API did not answer');
    }
    return undefined;
  }

  return {
    queues: async () => {
      const page = await ask(`queues/${vhost}?page=1&page_size=${mostQueues}&sort=name&${columns}`);
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

/** `/` when the URL names none (https://www.rabbitmq.com/docs/uri-spec). */
function vhostOf(brokerUrl: string): string {
  const { pathname } = new URL(brokerUrl);
  return pathname === '' || pathname === '/' ? '/' : decodeURIComponent(pathname.slice(1));
}

function managed(item: unknown): ManagedQueue | undefined {
  const { name, messages_unacknowledged: unacked } = (item ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string') return undefined;
  return { name, unacked: typeof unacked === 'number' ? unacked : undefined };
}
