import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { assertConforms } from '../clients/conformance.ts';
import { TemporaryFolder } from '../files/temporary-folder.ts';
import type { Rabbit } from '../servers/rabbitmq.ts';
import { type Proc, startProcess } from './processes.ts';

export type ProcessName = 'gateway' | 'mserv1' | 'mserv2';

/** All of Archivero as real processes on free ports, with its own folder of files and its own ledger. */
export interface SetUp extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Folder that the services list and search; empty at first. */
  readonly root: string;
  /** The running processes. */
  readonly processes: ReadonlyMap<ProcessName, Proc>;
  /** Starts a process, always on the same port; `env` and `entry` are for this start only. */
  start(name: ProcessName, env?: Readonly<Record<string, string>>, entry?: string): Promise<Proc>;
  /** Ends a process, by default with SIGKILL. Rejects when SIGTERM does not end it with code 0. */
  end(name: ProcessName, signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Sends a GET; rejects when the OpenAPI document does not allow the answer. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/**
 * Returns a free port below the ephemeral range. No outgoing connection can take it while its process is down.
 */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!(await free)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Creates a set-up and starts the processes named in `running`. */
export async function setUp({
  env = {},
  running = ['mserv1', 'mserv2', 'gateway'],
  serviceUid,
}: {
  readonly env?: Readonly<Record<string, string>>;
  readonly running?: readonly ProcessName[];
  /** The user of mserv1 and mserv2; default this process's own. */
  readonly serviceUid?: number;
} = {}): Promise<SetUp> {
  const files = new TemporaryFolder();
  const data = new TemporaryFolder();
  const [gateway = 0, mserv1 = 0, mserv2 = 0] = [await stablePort(), await stablePort(), await stablePort()];
  const processes = new Map<ProcessName, Proc>();
  const url = `http://127.0.0.1:${gateway}`;
  const common = {
    GATEWAY_PORT: String(gateway),
    MSERV1_PORT: String(mserv1),
    MSERV2_PORT: String(mserv2),
    MSERV1_URL: `127.0.0.1:${mserv1}`,
    MSERV2_URL: `127.0.0.1:${mserv2}`,
    FILES_ROOT: files.path,
    LEDGER_URL: `sqlite:${data.join('solicitudes.db')}`,
    ...env,
  };
  const it: SetUp = {
    url,
    root: files.path,
    processes,
    start: async (name, more = {}, entry = `${name}/main.ts`) => {
      const uid = name === 'gateway' ? undefined : serviceUid;
      const proc = await startProcess(entry, { ...common, ...more }, uid);
      processes.set(name, proc);
      return proc;
    },
    end: async (name, signal = 'SIGKILL') => {
      const proc = processes.get(name);
      processes.delete(name);
      await (signal === 'SIGTERM' ? proc?.stop() : proc?.kill());
    },
    get: async (path, headers = {}) => {
      const answer = await fetch(url + path, { headers, redirect: 'error' });
      await assertConforms('GET', new URL(answer.url).pathname, answer);
      return answer;
    },
    [Symbol.asyncDispose]: async () => {
      const ends = await Promise.allSettled([...processes.values()].map((proc) => proc.stop()));
      files[Symbol.dispose]();
      data[Symbol.dispose]();
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
  // The gateway starts last: it would find the services unreachable and retry only after a pause.
  try {
    await Promise.all(running.filter((name) => name !== 'gateway').map((name) => it.start(name)));
    if (running.includes('gateway')) await it.start('gateway');
  } catch (error) {
    await it[Symbol.asyncDispose]();
    throw error;
  }
  return it;
}

/** RabbitMQ's permissions: https://www.rabbitmq.com/docs/access-control#authorisation */
export type Permissions = Readonly<Record<'configure' | 'write' | 'read', string>>;

/** Creates a virtual host on a shared broker, so that the queues of two tests never mix. */
export async function ownVhost(rabbit: Pick<Rabbit, 'url' | 'managementUrl'>): Promise<{
  readonly url: string;
  /** Creates a user with these permissions, as regular expressions; returns the URL with its name and password. */
  user(permissions: Permissions): Promise<string>;
  /** Returns a queue's depth by the management API; undefined when the API does not list the queue yet. */
  messages(queue: string): Promise<number | undefined>;
}> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  const { username, password, origin } = new URL(rabbit.managementUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const api = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${origin}/api/${path}`, {
      ...init,
      headers: { authorization, 'content-type': 'application/json' },
    });
  const put = async (path: string, body: unknown): Promise<void> => {
    const answer = await api(path, { method: 'PUT', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  await put(`vhosts/${name}`, {});
  await put(`permissions/${name}/${username}`, { configure: '.*', write: '.*', read: '.*' });
  const url = new URL(rabbit.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    user: async (permissions) => {
      const secret = randomBytes(8).toString('hex');
      await put(`users/${secret}`, { password: secret, tags: '' });
      await put(`permissions/${name}/${secret}`, permissions);
      return Object.assign(new URL(url), { username: secret, password: secret }).href;
    },
    messages: async (queue) => {
      const answer = await api(`queues/${name}/${encodeURIComponent(queue)}`);
      if (answer.status === 404) return undefined;
      const { messages } = (await answer.json()) as { messages?: number };
      return messages;
    },
  };
}
