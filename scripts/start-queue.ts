import type { Part } from '../runtime/lifecycle.ts';
import { createLocalBroker, type LocalBroker } from './local-broker.ts';
import { brokerAnswers } from './rabbit-node.ts';

export interface Queue extends Part {
  /** How requests are kept right now, for a person. */
  readonly status: string;
  /** A broker of ours is on its way: that none answers yet is no news. */
  readonly isStarting: boolean;
}

const getOne = 'npm run broker shows how to get RabbitMQ';

/**
 * The broker of `npm start`: the one that answers already, else one from the installed `rabbitmq-server`, else none,
 * which is no failure: requests are kept by the ledger. Nobody waits for its start, nor dies with it. `say` tells
 * a person when that changes.
 */
export function createQueue(url: string | undefined, say: (text: string) => void): Queue {
  let status = 'embedded ledger (RABBITMQ_URL is empty)';
  let broker: LocalBroker | undefined;
  let starting: Promise<void> | undefined;
  let stopping = false;
  let isStarting = false;

  const become = (next: string): void => {
    status = next;
    if (!stopping) say(`queue: ${next}`);
  };
  const startInBackground = async (local: LocalBroker): Promise<void> => {
    try {
      await local.start();
      isStarting = false;
      become(`RabbitMQ, management UI at ${local.managementUrl} (guest/guest)`);
    } catch {
      isStarting = false;
      become('embedded ledger; RabbitMQ did not start, log/console.log in data/rabbitmq-* has its reasons');
    }
  };

  return {
    name: 'queue',
    get status() {
      return status;
    },
    get isStarting() {
      return isStarting;
    },
    async start() {
      if (url === undefined) return;
      if (await brokerAnswers(url)) {
        const ui = await managementUi(url);
        status = `RabbitMQ at ${new URL(url).host}${ui === undefined ? '' : `, management UI at ${ui}`}`;
        return;
      }
      const onDeath = (why: Error): void => become(`embedded ledger; ${why.message}`);
      broker = await createLocalBroker(url, ['installed'], onDeath);
      if (broker === undefined) {
        status = `embedded ledger; ${getOne}`;
        return;
      }
      status = 'embedded ledger, until RabbitMQ has started (some seconds)';
      isStarting = true;
      starting = startInBackground(broker);
    },
    async stop() {
      if (stopping || broker === undefined) return;
      stopping = true;
      say('Stopping RabbitMQ, which takes some seconds; Ctrl-C again ends it at once.');
      await broker.stop();
      await starting;
    },
  };
}

async function managementUi(url: string): Promise<string | undefined> {
  const ui = `http://${new URL(url).hostname}:15672`;
  try {
    const answer = await fetch(ui, { signal: AbortSignal.timeout(1_000) });
    await answer.body?.cancel();
    return answer.ok ? ui : undefined;
  } catch {
    return undefined;
  }
}
