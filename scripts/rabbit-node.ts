import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connectTo } from '../runtime/amqp/connect.ts';
import { brokerReason } from '../runtime/amqp/refusal.ts';
import { freePorts } from './free-ports.ts';
import { findRabbit, rabbitAdvice } from './rabbit-install.mjs';

export interface RabbitNodeOptions {
  /** Absolute path of the folder for everything that the node writes. */
  readonly dir: string;
  /** For example `archivero@localhost`. The node finds its data again only under this name. */
  readonly name: string;
  readonly port: number;
  readonly managementPort: number;
  /** Extra lines for rabbitmq.conf, for example `consumer_timeout = 60000`. */
  readonly config?: readonly string[];
  /** Extra options for the Erlang VM, for example `+S 1:1`. */
  readonly erlang?: string;
}

/**
 * A private RabbitMQ node from the installed `rabbitmq-server`, bound to the loopback. It has its own data, ports,
 * cookie and epmd, works for any user and beside any other RabbitMQ, and ends with the process that started it.
 */
export interface RabbitNode {
  /** `amqp://guest:guest@127.0.0.1:PORT?heartbeat=5` */
  readonly url: string;
  /** `http://guest:guest@127.0.0.1:PORT` */
  readonly managementUrl: string;
  /** The broker's process; undefined before the start. */
  readonly process: ChildProcess | undefined;
  /** Starts the broker; resolves when AMQP answers, after about 6 s. */
  start(): Promise<void>;
  /**
   * Ends the broker: SIGTERM stops it cleanly in some seconds, SIGKILL at once. It keeps its data and can be started
   * again.
   */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Deletes the broker's data. */
  wipe(): Promise<void>;
  /** Runs `rabbitmqctl` on this node, in about a second, and returns its output. */
  ctl(...args: string[]): Promise<string>;
  /** Ends the helper processes of the broker. The node cannot be started again. */
  close(): Promise<void>;
}

const startTimeoutMs = 120_000;
const orderlyStopMs = 10_000;
/** Bound of a whole login, which takes seconds on a busy machine. */
const answerMs = 5_000;

export async function createRabbitNode(options: RabbitNodeOptions): Promise<RabbitNode> {
  const { dir, name, port, managementPort, config = [], erlang = '' } = options;
  const programs = findRabbit();
  if (programs === undefined) throw new Error(`RabbitMQ is not installed. To install it: ${rabbitAdvice}`);
  const [distPort = 0, epmdPort = 0] = await freePorts(2);
  const url = `amqp://guest:guest@127.0.0.1:${port}?heartbeat=5`;
  const log = join(dir, 'log');
  const console = join(log, 'console.log');
  const data = join(dir, 'data');
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: dir,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: name,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: log,
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'generated'),
    RABBITMQ_CONF_ENV_FILE: join(dir, 'env.conf'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    // Without `+B i` an interrupt opens Erlang's break menu.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${erlang} +B i`.trim(),
    // Makes the start script exec the broker (one pid). The broker then reads stdin and ends when stdin closes, that
    // is, with this process.
    RABBITMQ_ALLOW_INPUT: 'true',
  };
  const conf = ['management.tcp.ip = 127.0.0.1', `management.tcp.port = ${managementPort}`, ...config];
  await mkdir(dir, { recursive: true });
  const cookie = join(dir, '.erlang.cookie');
  if (!existsSync(cookie)) await writeFile(cookie, randomBytes(16).toString('hex'), { mode: 0o400 });
  await writeFile(env.RABBITMQ_ENABLED_PLUGINS_FILE, '[rabbitmq_management].\n');
  await writeFile(env.RABBITMQ_CONF_ENV_FILE, '');
  await writeFile(env.RABBITMQ_CONFIG_FILE, `${conf.join('\n')}\n`);

  let epmd: ChildProcess | undefined;
  let broker: ChildProcess | undefined;

  return {
    url,
    managementUrl: `http://guest:guest@127.0.0.1:${managementPort}`,
    get process() {
      return broker;
    },
    async start() {
      // Start epmd as a child that ends when its stdin closes, with this process. Otherwise the broker starts an epmd
      // daemon that outlives it.
      epmd ??= spawn('sh', ['-c', `epmd -port ${epmdPort} -address 127.0.0.1 & read _; kill $!; wait`], {
        stdio: ['pipe', 'ignore', 'ignore'],
        env,
        detached: true,
      });
      await mkdir(log, { recursive: true });
      // Detached, so that Ctrl-C in the terminal does not reach the broker: parts that depend on it must stop first.
      const child = spawn(join(programs, 'rabbitmq-server'), [], {
        cwd: dir,
        env,
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
      broker = child;
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => void appendFile(console, chunk).catch(() => {}));
      }
      // stdin only ties the broker to this process; its failures show in the broker's exit.
      child.stdin.on('error', () => {});
      const giveUpAt = performance.now() + startTimeoutMs;
      while (!(await brokerAnswers(url))) {
        if (hasEnded(child) || performance.now() > giveUpAt) {
          const said = await readFile(console, 'utf8').catch(() => 'no output');
          throw new Error(`RabbitMQ did not start:\n${said}`);
        }
        await delay(100);
      }
    },
    async end(signal) {
      if (broker === undefined || hasEnded(broker)) return;
      const exit = once(broker, 'exit');
      broker.kill(signal);
      const late = setTimeout(() => broker?.kill('SIGKILL'), orderlyStopMs);
      await exit;
      clearTimeout(late);
    },
    wipe: () => rm(data, { recursive: true, force: true }),
    async ctl(...args) {
      const run = promisify(execFile);
      const { stdout } = await run(join(programs, 'rabbitmqctl'), ['-n', name, ...args], { cwd: dir, env });
      return stdout;
    },
    async close() {
      if (epmd === undefined || hasEnded(epmd)) return;
      const exit = once(epmd, 'exit');
      epmd.stdin?.end();
      await exit;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Returns whether a broker answers at the URL within 5 s and accepts the credentials. */
export async function brokerAnswers(url: string): Promise<boolean> {
  return (await brokerFailure(url)) === undefined;
}

/** Returns why no connection can be made within 5 s; undefined when one can. */
export async function brokerFailure(url: string): Promise<string | undefined> {
  try {
    const model = await connectTo(url, { signal: AbortSignal.timeout(answerMs) });
    model.on('error', () => {});
    await model.close();
    return undefined;
  } catch (error) {
    return brokerReason(error);
  }
}

/** Returns whether a reason is RabbitMQ's own, such as `NOT_ALLOWED - vhost x not found`: there is one, and it refuses. */
export function isRefusal(reason: string): boolean {
  return /^[A-Z_]+ - /.test(reason);
}
