import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import { freePorts } from '../../../scripts/free-ports.ts';
import type { Job } from '../peers/grpc-client.ts';
import { buildGoGateway } from './go-gateway.ts';
import { answers, Program } from './program.ts';
import { folderPath, type Size, sizes } from './tree.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
/** Secret of the gateway with tokens. */
const secret = 'a secret of thirty-two bytes, or more';
const peers = fileURLToPath(new URL('../peers/', import.meta.url));

/** Environment of the measured processes, with nothing of this process's own. */
const bare = {
  ENV_FILE: '',
  RABBITMQ_URL: '',
  LOG_LEVEL: 'warn',
  LOG_FORMAT: 'json',
  NODE_ENV: 'production',
};
/** Settings of a gateway on a network: tokens, access log, and limits too high to be reached. */
const everything = {
  LOG_LEVEL: 'info',
  AUTH: 'jwt',
  JWT_SECRET: secret,
  RATE_LIMITS: '1000000/1s, 10000000/1m, 900000000/1d',
};
/** Deadline in ms that 256 concurrent listings of 10,000 entries do not exceed. */
const patience = '60000';

/** The measured processes, each started once, when first needed, on its own port. */
export class Servers {
  readonly #folder: string;
  readonly #root: string;
  readonly #started = new Map<string, Promise<string>>();
  readonly #stops: (() => Promise<void>)[] = [];

  /**
   * @param folder folder for their files
   * @param root folder that they list
   */
  constructor(folder: string, root: string) {
    this.#folder = folder;
    this.#root = root;
  }

  /** Starts mserv1. Like the others below, returns its address, host:port. */
  mserv1 = (): Promise<string> =>
    this.#once('mserv1', async (port) => {
      const env = { ...bare, MSERV1_PORT: port, FILES_ROOT: this.#root };
      await this.#run(process.execPath, ['mserv1/main.ts'], { cwd: repository, env }, () => listens(port));
    });

  gateway = (kind: 'cached' | 'uncached' | 'full'): Promise<string> =>
    this.#once(`gateway ${kind}`, async (port) => {
      const env = {
        ...bare,
        GATEWAY_PORT: port,
        MSERV1_URL: await this.mserv1(),
        LEDGER_URL: `sqlite:${join(this.#folder, `${kind}.db`)}`,
        GRPC_DEADLINE_MS: patience,
        ...(kind === 'uncached' && { GATEWAY_CACHE_BYTES: '0' }),
        ...(kind === 'full' && everything),
      };
      const url = `http://127.0.0.1:${port}/healthz`;
      await this.#run(process.execPath, ['gateway/main.ts'], { cwd: repository, env }, () => answers(url));
    });

  /** Starts a server that answers with the gateway's bytes from memory. */
  constant = (kind: 'http' | 'koa'): Promise<string> =>
    this.#once(kind, async (port) => {
      const bodies = await this.#bodies();
      const args = [join(peers, 'constant.ts'), kind, port, bodies];
      const url = `http://127.0.0.1:${port}/${sizes[0]}`;
      await this.#run(process.execPath, args, { env: { NODE_ENV: 'production' } }, () => answers(url));
    });

  nginx = (): Promise<string> =>
    this.#once('nginx', async (port) => {
      const prefix = join(this.#folder, 'nginx');
      mkdirSync(prefix);
      // One process without a separate worker: the worker of a master run by root could not read the folders.
      const config = `
        daemon off; master_process off; pid ${prefix}/pid; error_log ${prefix}/error.log;
        events { worker_connections 1024; }
        http {
          access_log off; keepalive_requests 100000000;
          client_body_temp_path ${prefix}/a; proxy_temp_path ${prefix}/b; fastcgi_temp_path ${prefix}/c;
          uwsgi_temp_path ${prefix}/d; scgi_temp_path ${prefix}/e;
          server { listen 127.0.0.1:${port}; root ${this.#root}; autoindex on; autoindex_format json; }
        }`;
      writeFileSync(join(prefix, 'nginx.conf'), config);
      const args = ['-p', prefix, '-c', join(prefix, 'nginx.conf'), '-e', join(prefix, 'error.log')];
      await this.#run('nginx', args, {}, () => answers(`http://127.0.0.1:${port}/`));
    });

  /** Starts the original system's stack: Flask with its development server, as it ran, or behind gunicorn. */
  flask = (kind: 'flask' | 'gunicorn'): Promise<string> =>
    this.#once(kind, async (port) => {
      const descriptors = join(this.#folder, `${kind}.descriptors`);
      const buf = join(repository, 'node_modules', '.bin', 'buf');
      execFileSync(buf, ['build', 'proto', '--as-file-descriptor-set', '-o', `${descriptors}#format=binpb`], {
        cwd: repository,
      });
      const env = { DESCRIPTOR_SET: descriptors, UPSTREAM: await this.mserv1(), FLASK_ENV: 'production' };
      const python = ['-m', ...(kind === 'flask' ? ['flask', '--app', 'app', 'run', '-p', port] : [])];
      const gunicorn = ['gunicorn', '-b', `127.0.0.1:${port}`, '-w', '2', '--threads', '8', 'app:app'];
      const args = kind === 'flask' ? python : [...python, ...gunicorn];
      const url = `http://127.0.0.1:${port}/listar_archivos?limite=1`;
      await this.#run('/usr/bin/python3', args, { cwd: join(peers, 'flask'), env }, () => answers(url));
    });

  go = (): Promise<string> =>
    this.#once('go', async (port) => {
      const folder = join(this.#folder, 'go');
      mkdirSync(folder);
      const program = buildGoGateway(folder);
      const url = `http://127.0.0.1:${port}/listar_archivos?limite=1`;
      await this.#run(program, [await this.mserv1(), port], {}, () => answers(url));
    });

  /** Starts a gRPC client of mserv1; returns a function that runs a job and resolves with the calls per second. */
  async client(): Promise<(job: Job) => Promise<number>> {
    const child = fork(join(peers, 'grpc-client.ts'), [await this.mserv1()]);
    this.#stops.push(async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    });
    return async (job) => {
      child.send(job);
      const [{ perSecond, error }] = (await once(child, 'message')) as [
        { perSecond: number; error?: string },
      ];
      if (error !== undefined) throw new Error(error);
      return perSecond;
    };
  }

  /** Stops all processes, in the reverse order of their starts. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }

  #once(name: string, start: (port: string) => Promise<void>): Promise<string> {
    return this.#remembered(name, async () => {
      const [port] = await freePorts(1);
      await start(String(port));
      return `127.0.0.1:${port}`;
    });
  }

  async #run(
    command: string,
    args: readonly string[],
    options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
    ready: () => Promise<boolean>,
  ): Promise<void> {
    const program = new Program(command, args, options);
    this.#stops.push(() => program.stop());
    await program.until(ready);
  }

  /** Writes the gateway's answer for each size to a file; returns their folder. */
  #bodies(): Promise<string> {
    return this.#remembered('bodies', async () => {
      const folder = join(this.#folder, 'bodies');
      mkdirSync(folder);
      for (const size of sizes) {
        const response = await fetch(listingUrl(await this.gateway('uncached'), size, 0));
        writeFileSync(join(folder, String(size)), await response.bytes());
      }
      return folder;
    });
  }

  #remembered(name: string, make: () => Promise<string>): Promise<string> {
    const known = this.#started.get(name) ?? make();
    this.#started.set(name, known);
    return known;
  }
}

/** Returns the URL at which Archivero and the Go and Flask peers list a folder. */
export function listingUrl(address: string, size: Size, folder: number): string {
  return `http://${address}/listar_archivos?ruta=${folderPath(size, folder)}&limite=10000`;
}

/** Returns the Authorization header for `gateway('full')`. */
export async function bearer(): Promise<string> {
  const token = new SignJWT({ sub: 'ana', scope: 'archivos:leer' }).setProtectedHeader({ alg: 'HS256' });
  const claims = token.setIssuer('archivero').setAudience('archivero').setExpirationTime('1h');
  return `Bearer ${await claims.sign(new TextEncoder().encode(secret))}`;
}

async function listens(port: string): Promise<boolean> {
  const { connect } = await import('node:net');
  const socket = connect(Number(port), '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
