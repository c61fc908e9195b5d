import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { brokerAnswers } from '../../scripts/rabbit-node.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { eventually } from '../support/processes/eventually.ts';
import { type Proc, spawnProcess } from '../support/processes/processes.ts';
import { stablePort } from '../support/processes/set-up.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `npm start` in a copy of the repository, so that the developer's data stays untouched. */
class RepositoryCopy implements Disposable {
  readonly #folder = new TemporaryFolder();
  readonly path = this.#folder.path;

  constructor() {
    const folders = ['examples', 'filesystem', 'gateway', 'mserv1', 'mserv2', 'proto', 'runtime', 'scripts'];
    for (const each of [...folders, 'package.json', 'package-lock.json']) {
      cpSync(join(repository, each), join(this.path, each), { recursive: true });
    }
    symlinkSync(join(repository, 'node_modules'), join(this.path, 'node_modules'));
  }

  start(args: readonly string[] = [], env: Record<string, string> = {}): Proc {
    const ledger = `sqlite:${join(this.path, 'data', 'solicitudes.db')}`;
    return spawnProcess(
      join(this.path, 'scripts', 'launch.mjs'),
      { INIT_CWD: this.path, LEDGER_URL: ledger, ...env },
      ['scripts/start.ts', ...args],
    );
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

const contains = (text: string) => (line: { msg?: string }) => line.msg?.includes(text) ?? false;
const textOf = (proc: Proc): string => proc.lines.map(({ msg }) => msg).join('\n');

async function addressOf(proc: Proc): Promise<string> {
  const { msg } = await proc.waitFor(contains('Archivero answers at'));
  return /http:\S+/.exec(msg ?? '')?.[0] ?? '';
}

/** Returns the pids that the services logged when they were ready. */
function servicesOf(proc: Proc): number[] {
  const pids = proc.lines.filter(({ msg }) => msg === 'ready').map((line) => Number(line['pid']));
  expect(pids).to.have.length(3);
  return pids;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm start', () => {
  let copy: RepositoryCopy;
  before(() => {
    copy = new RepositoryCopy();
  });
  after(() => {
    copy[Symbol.dispose]();
  });

  it('serves the folder of --root, names the queue in use, and stops its services', async () => {
    mkdirSync(join(copy.path, 'de otros'), { recursive: true });
    writeFileSync(join(copy.path, 'de otros', 'año.txt'), 'x');
    const proc = copy.start(['--root', 'de otros']);
    const url = await addressOf(proc);
    await proc.waitFor(contains('queue: embedded ledger'));
    const names = await (await fetch(`${url}/listar_archivos?formato=nombres`)).json();
    expect(names).to.deep.equal(['año.txt']);
    expect(await (await fetch(`${url}/buscar_archivos?nombre=ano`)).json()).to.include({ total: 1 });
    const services = servicesOf(proc);
    await proc.stop();
    expect(services.filter(isAlive)).to.deep.equal([]);
  });

  it('prints its readable lines for people, wherever they go, and none before the addresses', async () => {
    const proc = copy.start([], { LOG_FORMAT: '' });
    const url = await addressOf(proc);
    const text = textOf(proc);
    expect(text.indexOf('Archivero answers at'), text).to.be.below(10);
    await fetch(`${url}/listar_archivos?formato=nombres`);
    const { msg } = await proc.waitFor(contains('GET /listar_archivos'));
    expect(msg).to.match(
      /^gateway │ \[[\d:.]+\] INFO: GET \/listar_archivos\?formato=nombres 200 [\d.]+ ms grpc \{"requestId":"[^"]+"\}$/,
    );
    await proc.stop();
  });

  it('starts with a LOG_LEVEL above info, and prints no line below it', async () => {
    const proc = copy.start([], { LOG_LEVEL: 'warn' });
    const url = await addressOf(proc);
    expect((await fetch(`${url}/salud/viva`)).status).to.equal(200);
    await proc.stop();
    const levels = new Set(proc.lines.map(({ level }) => level));
    expect(levels).not.to.include('info');
  });

  it('stops the other services and ends with code 1 when one dies', async () => {
    const proc = copy.start();
    await addressOf(proc);
    const [mserv1 = 0, ...others] = servicesOf(proc);
    process.kill(mserv1, 'SIGKILL');
    expect(await proc.exited).to.deep.equal({ code: 1, signal: null });
    expect(textOf(proc)).to.include('mserv1 ended (SIGKILL): stopping the others');
    expect(others.filter(isAlive)).to.deep.equal([]);
  });

  it('leaves no service behind when it is killed', async () => {
    const proc = copy.start();
    await addressOf(proc);
    const services = servicesOf(proc);
    await proc.kill();
    await eventually(() => !services.some(isAlive));
  });

  it('--watch restarts a service when its source files change, also after they had a syntax error', async () => {
    const proc = copy.start(['--watch']);
    const url = await addressOf(proc);
    const readyOf = (name: string) => proc.lines.filter((line) => line.msg === 'ready' && line.name === name);
    const file = join(copy.path, 'mserv1', 'handlers.ts');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text}\n}`);
    await proc.waitFor(contains('mserv1 ended (code 1); restarting at the next change'));
    writeFileSync(file, text);
    await eventually(() => readyOf('mserv1').length === 2);
    expect(readyOf('gateway')).to.have.length(1);
    expect((await fetch(`${url}/listar_archivos`, { headers: { prefer: 'wait=50' } })).status).to.equal(200);
    await proc.stop();
  });

  it('starts the installed RabbitMQ, and stops it at the end', async () => {
    const url = `amqp://guest:guest@127.0.0.1:${await stablePort()}?heartbeat=5`;
    const proc = copy.start([], { RABBITMQ_URL: url });
    await addressOf(proc);
    const { msg } = await proc.waitFor(contains('queue: RabbitMQ, management UI at'));
    const early = proc.lines.filter(contains('no connection to RabbitMQ'));
    expect(early, 'warnings while its own broker starts').to.deep.equal([]);
    const ui = /http:\S+/.exec(msg ?? '')?.[0] ?? '';
    const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
    const overview = await fetch(`${ui}/api/overview`, { headers: { authorization } });
    expect(await overview.json()).to.include({ node: `archivero-${new URL(url).port}@localhost` });
    await proc.stop();
    expect(await brokerAnswers(url)).to.equal(false);
  });

  it('starts nothing when a port is taken, and names its variables', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const port = String((holder.address() as AddressInfo).port);
    const proc = copy.start(['--port', port], { MSERV2_PORT: port });
    expect((await proc.exited).code).to.equal(1);
    holder.close();
    expect(textOf(proc)).to.include(`GATEWAY_PORT: port ${port} of 127.0.0.1 is already in use`);
    expect(textOf(proc)).to.include(`MSERV2_PORT: port ${port} of 127.0.0.1 is already in use`);
    expect(textOf(proc)).not.to.include('listening');
  });

  for (const [args, text] of [
    [['--root', 'nowhere'], '--root: there is no folder /'],
    [['--root', 'package.json'], 'is not a folder'],
    [['folder'], 'folder'],
    [['--port', 'x'], 'GATEWAY_PORT: expected a port'],
    [['--port', '70000'], 'MSERV1_HOST: "0.0.0.0" can be reached'],
    [['--port', '70000'], 'LEDGER_MAX_ROWS: expected a whole number'],
  ] as const) {
    it(`prints «${text}» for ${args.join(' ')}`, async () => {
      // Every setting is checked before any process starts.
      const proc = copy.start(args, { MSERV1_HOST: '0.0.0.0', LEDGER_MAX_ROWS: 'x' });
      expect((await proc.exited).code).to.equal(1);
      expect(textOf(proc)).to.include(text);
    });
  }
});
