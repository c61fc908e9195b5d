import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from 'amqplib';

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

const startTimeoutMs = 60_000;

/** Debian's /usr/sbin scripts change the user and lose the environment; the ones that they wrap do not. */
function program(name: string): string {
  const debian = join('/usr/lib/rabbitmq/bin', name);
  return existsSync(debian) ? debian : name;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(async (server) => {
      if (!server.listening) await once(server, 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new TypeError('No port');
      return address.port;
    }),
  );
  await Promise.all(servers.map((server) => server.close() && once(server, 'close')));
  return ports;
}

/** Starts a private node and resolves when it answers AMQP, in about 6 s. */
export async function startRabbit(options: RabbitOptions = {}): Promise<Rabbit> {
  const dir = await mkdtemp(join(tmpdir(), 'archivero-rabbit-'));
  const [port = 0, managementPort = 0, distPort = 0, epmdPort = 0] = await freePorts(4);
  const node = `archivero-${randomBytes(4).toString('hex')}@localhost`;
  const url = `amqp://guest:guest@127.0.0.1:${port}?heartbeat=5`;
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: dir,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: node,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'generated'),
    RABBITMQ_CONF_ENV_FILE: join(dir, 'env.conf'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +B i',
    // The script then becomes the broker (one pid), which reads its stdin and ends when that does: with its test run.
    RABBITMQ_ALLOW_INPUT: 'true',
  };
  await writeFile(join(dir, '.erlang.cookie'), randomBytes(16).toString('hex'), { mode: 0o400 });
  await writeFile(join(dir, 'plugins'), '[rabbitmq_management].\n');
  await writeFile(join(dir, 'env.conf'), '');
  await writeFile(
    join(dir, 'rabbitmq.conf'),
    [
      `management.tcp.ip = 127.0.0.1`,
      `management.tcp.port = ${managementPort}`,
      'collect_statistics_interval = 500',
      'raft.wal_max_size_bytes = 16777216',
      ...(options.config ?? []),
      '',
    ].join('\n'),
  );

  // A child of ours, held to our life by its stdin; otherwise the broker starts a daemon that stays when it ends.
  const epmd = spawn('sh', ['-c', `epmd -port ${epmdPort} -address 127.0.0.1 & read _; kill $!`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env,
  });
  let broker: ChildProcess | undefined;

  const launch = async (): Promise<void> => {
    await mkdir(env.RABBITMQ_LOG_BASE, { recursive: true });
    const output = join(dir, 'log', 'console.log');
    const child = spawn(program('rabbitmq-server'), [], { cwd: dir, env, stdio: ['pipe', 'pipe', 'pipe'] });
    broker = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => void appendFile(output, chunk).catch(() => {}));
    }
    // Its stdin only holds it to our life: what goes wrong with it is seen in its exit.
    child.stdin.on('error', () => {});
    const giveUpAt = Date.now() + startTimeoutMs;
    while (!(await answers(url))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > giveUpAt) {
        throw new Error(
          `RabbitMQ did not start:\n${await readFile(output, 'utf8').catch(() => 'no output')}`,
        );
      }
      await delay(100);
    }
  };

  const end = async (child: ChildProcess | undefined): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };

  const rabbit: Rabbit = {
    url,
    managementUrl: `http://guest:guest@127.0.0.1:${managementPort}`,
    port,
    get pid() {
      return broker?.pid ?? 0;
    },
    async ctl(...args) {
      const { stdout } = await promisify(execFile)(program('rabbitmqctl'), ['-n', node, ...args], {
        cwd: dir,
        env,
      });
      return stdout;
    },
    kill: () => end(broker),
    async restart() {
      await rabbit.kill();
      await launch();
    },
    async wipe() {
      await rabbit.kill();
      await rm(env.RABBITMQ_MNESIA_BASE, { recursive: true, force: true });
    },
    pause: () => void broker?.kill('SIGSTOP'),
    resume: () => void broker?.kill('SIGCONT'),
    async stop() {
      // Its data goes with it, so there is nothing that an orderly stop (5 s) would save.
      await end(broker);
      if (!epmd.stdin.writableEnded) {
        const exit = once(epmd, 'exit');
        epmd.stdin.end();
        await exit;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await launch();
  } catch (error) {
    await rabbit.stop();
    throw error;
  }
  return rabbit;
}

async function answers(url: string): Promise<boolean> {
  try {
    const model = await connect(url, { timeout: 2_000 });
    model.on('error', () => {});
    await model.close();
    return true;
  } catch {
    return false;
  }
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
