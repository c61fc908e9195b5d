import { connect } from 'amqplib';
import { type Rabbit, startRabbit } from '../../support/servers/rabbitmq.ts';

/** A private RabbitMQ with an operator's commands, used by one scenario after another. */
export interface Broker extends Rabbit {
  /** Returns the number of ready messages of each queue. */
  depths(): Promise<ReadonlyMap<string, number>>;
  /** Calls the management API on the default virtual host: `request('DELETE', 'queues', 'archivero.mserv1.v1')`. */
  request(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    kind: string,
    rest: string,
    body?: unknown,
  ): Promise<Response>;
  /** Makes the broker run, without queues, exchanges, policies and alarms of the last scenario. */
  reset(): Promise<void>;
}

const normal = { watermark: '0.4', diskFree: '50MB' };

export async function startBroker(): Promise<Broker> {
  const rabbit = await startRabbit();
  const { username, password, origin } = new URL(rabbit.managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  let touched = false;

  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${origin}/api/${path}`, {
      ...init,
      headers: { authorization, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
  const must = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const answer = await call(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };

  async function answers(): Promise<boolean> {
    try {
      const answer = await call('health/checks/alarms');
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }

  const broker: Broker = Object.create(rabbit, {
    ctl: {
      value: (...args: string[]) => {
        touched = true;
        return rabbit.ctl(...args);
      },
    },
    depths: {
      value: async () => {
        const answer = await must('GET', 'queues/%2F?columns=name');
        const names = ((await answer.json()) as { name: string }[]).map(({ name }) => name);
        // The management API lags by seconds; a passive declaration does not.
        const connection = await connect(rabbit.url);
        try {
          const channel = await connection.createChannel();
          const checked = await Promise.all(names.map((name) => channel.checkQueue(name)));
          return new Map(checked.map(({ queue, messageCount }) => [queue, messageCount]));
        } finally {
          await connection.close();
        }
      },
    },
    request: {
      value: (method: string, kind: string, rest: string, body?: unknown) =>
        must(method, `${kind}/%2F/${rest}`, body),
    },
    reset: {
      value: async () => {
        rabbit.resume();
        if (touched) {
          // Fails when the application is stopped or the node is dead; the node is then restarted below.
          await rabbit.ctl('set_vm_memory_high_watermark', normal.watermark).catch(() => {});
          await rabbit.ctl('set_disk_free_limit', normal.diskFree).catch(() => {});
          touched = false;
        }
        if (!(await answers())) {
          await rabbit.wipe();
          await rabbit.restart();
          return;
        }
        await must('DELETE', 'vhosts/%2F');
        await must('PUT', 'vhosts/%2F', {});
        await must('PUT', `permissions/%2F/${username}`, { configure: '.*', write: '.*', read: '.*' });
      },
    },
  });
  return broker;
}
