import type { Part } from '../runtime/lifecycle.ts';
import { createLocalBroker, type LocalBroker } from './local-broker.ts';
import { brokerFailure, isRefusal } from './rabbit-node.ts';

export interface Queue extends Part {
  /** Where requests are kept now, as text for the terminal. */
  readonly status: string;
  /** Whether failed connections are expected: our own broker is starting, or no broker is wanted or installed. */
  readonly expectsNoBroker: boolean;
  /** Starts our own broker in the background, if there is one to start: after the services, which answer without it. */
  startBroker(): void;
}

const advice = 'npm run broker shows how to install RabbitMQ';

/**
 * Returns the broker part of `npm start`: a broker that already answers, else one from the installed
 * `rabbitmq-server`, else none, and the ledger keeps the requests.
 *
 * The other parts neither wait for its start nor stop with it. `say` prints each change of its status.
 *
 * @param wanted whether the user has set the URL
 */
export function createQueue(url: string | undefined, wanted: boolean, say: (text: string) => void): Queue {
  let status = 'embedded ledger (RABBITMQ_URL is empty)';
  let broker: LocalBroker | undefined;
  let starting: Promise<void> | undefined;
  let stopping = false;
  let expectsNoBroker = false;

  const setStatus = (next: string): void => {
    status = next;
    if (!stopping) say(`queue: ${next}`);
  };
  const startInBackground = async (local: LocalBroker): Promise<void> => {
    try {
      await local.start();
      expectsNoBroker = false;
      setStatus(`RabbitMQ, management UI at ${local.managementUrl} (guest/guest)`);
    } catch {
      expectsNoBroker = false;
      setStatus('embedded ledger; RabbitMQ did not start: see log/console.log in data/rabbitmq-*');
    }
  };

  return {
    name: 'queue',
    get status() {
      return status;
    },
    get expectsNoBroker() {
      return expectsNoBroker;
    },
    async start() {
      if (url === undefined) return;
      const failure = await brokerFailure(url);
      if (failure === undefined) {
        const ui = await managementUi(url);
        status = `RabbitMQ at ${new URL(url).host}${ui === undefined ? '' : `, management UI at ${ui}`}`;
        return;
      }
      if (isRefusal(failure)) {
        status = `embedded ledger; RabbitMQ at ${new URL(url).host} refuses: ${failure}`;
        return;
      }
      const onDeath = (why: Error): void => setStatus(`embedded ledger; ${why.message}`);
      broker = await createLocalBroker(url, ['installed'], onDeath);
      if (broker === undefined) {
        status = `embedded ledger; ${wanted ? `RabbitMQ does not answer at ${new URL(url).host}` : advice}`;
        expectsNoBroker = !wanted;
        return;
      }
      status = 'embedded ledger until RabbitMQ has started (some seconds)';
      expectsNoBroker = true;
    },
    startBroker() {
      if (broker !== undefined) starting = startInBackground(broker);
    },
    async stop() {
      if (stopping || broker === undefined || starting === undefined) return;
      stopping = true;
      say('Stopping RabbitMQ takes some seconds; Ctrl-C again ends it at once.');
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
