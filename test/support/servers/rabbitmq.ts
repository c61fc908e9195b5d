import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../../scripts/free-ports.ts';
import { createRabbitNode } from '../../../scripts/rabbit-node.ts';
import { noteStarted } from '../runner/leftovers.ts';

/** A private RabbitMQ node, with its own data, ports, cookie and epmd; nothing of it outlives the test run. */
export interface Rabbit {
  /** `amqp://guest:guest@127.0.0.1:PORT?heartbeat=5` */
  readonly url: string;
  /** `http://guest:guest@127.0.0.1:PORT` */
  readonly managementUrl: string;
  readonly port: number;
  /** The broker's process. */
  readonly pid: number;
  /** Runs `rabbitmqctl` against this node (about a second) and gives what it printed. */
  ctl(...args: string[]): Promise<string>;
  /** `kill -9` of the broker. Its data stays. */
  kill(): Promise<void>;
  /** Starts it again on the same data and ports, killing it first if it runs. Resolves when AMQP answers. */
  restart(): Promise<void>;
  /** Kills it and deletes its data: after `restart` it is an empty broker. */
  wipe(): Promise<void>;
  /** SIGSTOP: it accepts connections (its kernel does) and never answers. */
  pause(): void;
  resume(): void;
  /** Ends it at once, and removes its directory. May be called twice. */
  stop(): Promise<void>;
}

export interface RabbitOptions {
  /** More lines for its rabbitmq.conf: `consumer_timeout = 60000`. */
  readonly config?: readonly string[];
}

/** Starts a private node and resolves when it answers AMQP, in about 6 s. */
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
      // Its data goes with it, so there is nothing that an orderly stop (5 s) would save.
      await node.end('SIGKILL');
      await node.close();
      await rm(dir, { recursive: true, force: true });
      noteEnded();
    },
  };
  const noteEnded = noteStarted('RabbitMQ', rabbit.stop);
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
 * The node that all tests of a run share, started when first asked for. Tests on it use names of their own (a random
 * service) and leave it as it was; a test that harms its broker starts one with `startRabbit`.
 */
export function sharedRabbit(): Promise<Rabbit> {
  shared ??= startRabbit();
  return shared;
}

/** For the root hooks. */
export async function stopSharedRabbit(): Promise<void> {
  const started = shared;
  shared = undefined;
  await (await started)?.stop();
}
