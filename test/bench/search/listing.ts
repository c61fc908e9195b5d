import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { setUp, stablePort } from '../../support/processes/set-up.ts';
import { median } from '../statistics.ts';
import { runPeer } from './peers.ts';
import { type TableRow, times } from './table.ts';

const entries = 1000;
const rounds = 3;
const connections = 32;

/** Measures listings of 1000 files with sizes and dates, by Archivero and nginx in turn. */
export async function listing(): Promise<TableRow[]> {
  using data = new TemporaryFolder();
  const root = data.join('root');
  mkdirSync(root);
  for (let i = 0; i < entries; i++) {
    writeFileSync(`${root}/informe número ${String(i).padStart(4, '0')}.pdf`, 'x'.repeat(i));
  }
  await using stack = await setUp({
    // Without the cache; concurrent requests still share a call.
    env: { FILES_ROOT: root, GATEWAY_CACHE_BYTES: '0' },
    running: ['mserv1', 'gateway'],
  });
  await using nginx = await Nginx.start(root, data.path);
  const archiveroRates: number[] = [];
  const nginxRates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    archiveroRates.push(await requestsPerSecond(`${stack.url}/listar_archivos?limite=${entries}`));
    nginxRates.push(await requestsPerSecond(nginx.url));
  }
  const [archivero, peer] = [median(archiveroRates), median(nginxRates)];
  const answer = (await (await stack.get(`/listar_archivos?limite=${entries}`)).json()) as {
    archivos: { nombre: string; bytes: number; modificado: string }[];
  };
  const isCorrect =
    answer.archivos.length === entries &&
    answer.archivos.every(({ nombre, bytes, modificado }) => {
      const { size, mtime } = statSync(`${root}/${nombre}`);
      return bytes === size && modificado === mtime.toISOString();
    });
  return [
    {
      what: `\`/listar_archivos\` of ${entries} entries without a cache, ${connections} connections`,
      must: '≥ 0.15 × nginx `autoindex_format json` (one worker), with the true size and date of each',
      measured: `${archivero.toFixed(0)} requests/s; nginx ${peer.toFixed(0)}: ${times(archivero, peer)}`,
      holds: isCorrect && archivero >= 0.15 * peer,
      numbers: { oursPerSecond: archivero, nginxPerSecond: peer },
    },
  ];
}

async function requestsPerSecond(url: string): Promise<number> {
  const { output } = await runPeer('wrk', ['-t1', `-c${connections}`, '-d5s', url]);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  if (rate === undefined || /Non-2xx|Socket errors/.test(output)) throw new Error(output);
  return Number(rate);
}

class Nginx implements AsyncDisposable {
  readonly url: string;
  readonly #end: () => Promise<void>;

  private constructor(url: string, end: () => Promise<void>) {
    this.url = url;
    this.#end = end;
  }

  static async start(root: string, data: string): Promise<Nginx> {
    const port = await stablePort();
    const config = `${data}/nginx.conf`;
    writeFileSync(
      config,
      `daemon off; user root; worker_processes 1; pid ${data}/nginx.pid; error_log stderr crit;
events { worker_connections 512; }
http { access_log off; client_body_temp_path ${data}/body; proxy_temp_path ${data}/proxy;
fastcgi_temp_path ${data}/fastcgi; uwsgi_temp_path ${data}/uwsgi; scgi_temp_path ${data}/scgi;
server { listen 127.0.0.1:${port}; root ${root}; location / { autoindex on; autoindex_format json; } } }`,
    );
    const child = spawn('nginx', ['-c', config, '-p', data], { stdio: ['ignore', 'ignore', 'inherit'] });
    const exited = once(child, 'close');
    const url = `http://127.0.0.1:${port}/`;
    while (child.exitCode === null) {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.ok) break;
      await delay(20);
    }
    return new Nginx(url, async () => {
      child.kill('SIGTERM');
      await exited;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}
