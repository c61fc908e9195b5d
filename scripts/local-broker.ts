import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Part } from '../runtime/lifecycle.ts';
import { assertFree, freePorts } from './free-ports.ts';
import { findRabbit } from './rabbit-install.mjs';
import { brokerAnswers, createRabbitNode } from './rabbit-node.ts';

/** A RabbitMQ on this machine with the user guest/guest, as a part of a process. Its data outlives the process. */
export interface LocalBroker extends Part {
  readonly managementUrl: string;
  /** How it runs: `rabbitmq-server` or `Docker`. */
  readonly origin: string;
}

const usualManagementPort = 15_672;

/**
 * Returns a broker for this machine's default URL, from the first available source in `from`; undefined for another
 * URL or without a source. `onDeath` is called when the broker ends by itself.
 */
export async function createLocalBroker(
  url: string,
  from: readonly ('installed' | 'docker')[],
  onDeath: (why: Error) => void,
): Promise<LocalBroker | undefined> {
  const { protocol, hostname, port: portText, username, password, pathname } = new URL(url);
  const ours =
    protocol === 'amqp:' &&
    ['localhost', '127.0.0.1'].includes(hostname) &&
    ['', 'guest'].includes(username) &&
    ['', 'guest'].includes(password) &&
    ['', '/', '/%2F', '/%2f'].includes(pathname);
  if (!ours) return undefined;
  const port = Number(portText || 5672);
  if (from.includes('installed') && findRabbit() !== undefined) return installedBroker(port, onDeath);
  if (from.includes('docker') && dockerAnswers()) return dockerBroker(url, port, onDeath);
  return undefined;
}

async function installedBroker(port: number, onDeath: (why: Error) => void): Promise<LocalBroker> {
  const node = await createRabbitNode({
    // Name and data folder carry the port: two brokers never share one data folder.
    dir: fileURLToPath(new URL(`../data/rabbitmq-${port}`, import.meta.url)),
    name: `archivero-${port}@localhost`,
    port,
    managementPort: await managementPort(),
    // The management UI otherwise shows numbers up to ten seconds old.
    config: ['collect_statistics_interval = 1000'],
    // Disable busy waiting of the Erlang schedulers, which uses processor time while idle.
    erlang: '+sbwt none +sbwtdcpu none +sbwtdio none',
  });
  let stopping = false;
  return {
    name: 'RabbitMQ',
    origin: 'rabbitmq-server',
    managementUrl: node.managementUrl.replace('guest:guest@', ''),
    async start() {
      await node.start();
      node.process?.once('exit', (code, signal) => {
        if (!stopping) onDeath(new Error(`RabbitMQ ended by itself (${signal ?? code})`));
      });
    },
    async stop() {
      stopping = true;
      await node.end('SIGTERM');
      await node.close();
    },
  };
}

/** Returns the usual management port, or a free one when that is taken. */
async function managementPort(): Promise<number> {
  try {
    await assertFree(usualManagementPort, '127.0.0.1');
    return usualManagementPort;
  } catch {
    const [port = 0] = await freePorts(1);
    return port;
  }
}

function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 5_000 }).status === 0;
}

async function dockerBroker(url: string, port: number, onDeath: (why: Error) => void): Promise<LocalBroker> {
  const name = 'archivero-rabbitmq';
  const ui = await managementPort();
  let stopping = false;
  return {
    name: 'RabbitMQ',
    origin: 'Docker',
    managementUrl: `http://127.0.0.1:${ui}`,
    async start() {
      const ports = [`127.0.0.1:${port}:5672`, `127.0.0.1:${ui}:15672`].flatMap((each) => [
        '--publish',
        each,
      ]);
      // RabbitMQ stores its data under its host name.
      const identity = ['--name', name, '--hostname', name, '--volume', `${name}:/var/lib/rabbitmq`];
      const options = ['run', '--rm', ...identity, ...ports, 'rabbitmq:4-management'];
      const child = spawn('docker', options, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
      const ended = once(child, 'exit').then(([code]) => {
        if (!stopping) onDeath(new Error(`docker run ended with ${code}`));
        return true;
      });
      // There is no timeout: the first start downloads the image.
      while (!(await brokerAnswers(url))) {
        const over = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))]);
        if (over === true) throw new Error('The RabbitMQ container did not start');
      }
    },
    async stop() {
      stopping = true;
      spawnSync('docker', ['stop', name], { stdio: 'ignore' });
    },
  };
}
