import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Part } from '../runtime/lifecycle.ts';
import { assertFree, freePorts } from './free-ports.ts';
import { findRabbit } from './rabbit-install.mjs';
import { brokerAnswers, createRabbitNode } from './rabbit-node.ts';

/** A RabbitMQ for this machine, with the user guest/guest, as part of a process. Its data outlives it. */
export interface LocalBroker extends Part {
  readonly managementUrl: string;
  /** Where it comes from: `rabbitmq-server`, `Docker`. */
  readonly origin: string;
}

const usualManagementPort = 15_672;

/**
 * The broker that a URL asks for, when it is this machine's to start; `from` says from where it may come. `onDeath` is
 * called when it ends by itself.
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
    // Its port is its own, and so is what has its name: two brokers never share one folder of data.
    dir: fileURLToPath(new URL(`../data/rabbitmq-${port}`, import.meta.url)),
    name: `archivero-${port}@localhost`,
    port,
    managementPort: await managementPort(),
    // Whoever looks at a queue in the management UI looks now: without this its numbers are up to ten seconds old.
    config: ['collect_statistics_interval = 1000'],
    // Erlang otherwise burns processor time waiting for work.
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

/** The usual port, unless something else is there. */
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
      // The broker's data is kept under its host name.
      const identity = ['--name', name, '--hostname', name, '--volume', `${name}:/var/lib/rabbitmq`];
      const options = ['run', '--rm', ...identity, ...ports, 'rabbitmq:4-management'];
      const child = spawn('docker', options, { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
      const ended = once(child, 'exit').then(([code]) => {
        if (!stopping) onDeath(new Error(`docker run ended with ${code}`));
        return true;
      });
      // The first time it downloads the image, which takes as long as it takes.
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
