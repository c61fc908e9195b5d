import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../scripts/free-ports.ts';
import { createRabbitNode } from '../../../scripts/rabbit-node.ts';
import { registerStarted } from '../runner/leftovers.ts';

/** A private RabbitMQ node with its own data, ports, cookie and epmd, removed at the end of the test run. */
export interface Rabbit {
  /** `amqp://guest:guest@127.0.0.1:PORT?heartbeat=5` */
  readonly url: string;
  /** `http://guest:guest@127.0.0.1:PORT` */
  readonly managementUrl: string;
  readonly port: number;
  /** Process id of the broker. */
  readonly pid: number;
  /** Runs `rabbitmqctl` on this node, in about a second; returns its output. */
  ctl(...args: string[]): Promise<string>;
  /** Sends SIGKILL to the broker. Its data stays. */
  kill(): Promise<void>;
  /** Kills the broker if it runs, and starts it on the same data and ports. Resolves when AMQP answers. */
  restart(): Promise<void>;
  /** Kills the broker and deletes its data; after `restart` it is empty. */
  wipe(): Promise<void>;
  /** Sends SIGSTOP. The kernel still accepts connections, but the broker does not answer. */
  pause(): void;
  resume(): void;
  /** Ends the broker at once and removes its folder. May be called twice. */
  stop(): Promise<void>;
}

export interface RabbitOptions {
  /** Additional lines of rabbitmq.conf: `consumer_timeout = 60000`. */
  readonly config?: readonly string[];
}

/** Starts a private node; resolves when it answers AMQP, in about 6 s. */
export async function startRabbit(options: RabbitOptions = {}): Promise<Rabbit> {
  const dir = await mkdtemp(join(tmpdir(), 'archivero-rabbit-'));
  const [port = 0, managementPort = 0] = await freePorts(2);
  const node = await createRabbitNode({
    dir,
    name: `archivero-${randomBytes(4).toString('hex')}@localhost`,
    port,
    managementPort,
    config: [
      'collect_statistics_interval = 500',
      'raft.wal_max_size_bytes = 16777216',
      ...(options.config ?? []),
    ],
    erlang: '+S 1:1',
  });
  const rabbit: Rabbit = {
    url: node.url,
    managementUrl: node.managementUrl,
    port,
    get pid() {
      return node.process?.pid ?? 0;
    },
    ctl: node.ctl,
    kill: () => node.end('SIGKILL'),
    async restart() {
      await node.end('SIGKILL');
      await node.start();
    },
    async wipe() {
      await node.end('SIGKILL');
      await node.wipe();
    },
    pause: () => void node.process?.kill('SIGSTOP'),
    resume: () => void node.process?.kill('SIGCONT'),
    async stop() {
      // Its data is deleted, so an orderly stop, which takes 5 s, would save nothing.
      await node.end('SIGKILL');
      await node.close();
      await rm(dir, { recursive: true, force: true });
      noteEnded();
    },
  };
  const noteEnded = registerStarted('RabbitMQ', rabbit.stop);
  try {
    await node.start();
  } catch (error) {
    await rabbit.stop();
    throw error;
  }
  return rabbit;
}

let shared: Promise<Rabbit> | undefined;

/**
 * Returns the node that the run's tests share, started on the first call. Tests on it use random names and do not harm
 * it. A test that harms its broker starts its own with `startRabbit`.
 */
export function sharedRabbit(): Promise<Rabbit> {
  shared ??= startRabbit();
  return shared;
}

/** Stops the shared node; called by the root hooks. */
export async function stopSharedRabbit(): Promise<void> {
  const started = shared;
  shared = undefined;
  await (await started)?.stop();
}
