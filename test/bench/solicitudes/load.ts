import { execFile } from 'node:child_process';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface LoadSample {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const script = fileURLToPath(new URL('distinct.lua', import.meta.url));
const run = promisify(execFile);

/**
 * Loads a server with wrk over 64 connections. Each request is for another folder, or all are for the same URL. Rejects
 * when an answer is an error.
 */
export async function load(
  url: string,
  seconds: number,
  urls: 'distinct' | 'same' = 'distinct',
): Promise<LoadSample> {
  const prefix = urls === 'same' ? '' : `${process.hrtime.bigint()}-`;
  const options = ['-t1', '-c64', `-d${seconds}s`, '--timeout', '30s', '-s', script];
  const { stdout } = await run('wrk', [...options, url, '--', prefix]);
  const { errors, ...sample } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  if (errors > 0) throw new Error(`${errors} errors of ${url}`);
  return sample;
}

export interface ServedAnswer {
  readonly status: number;
  readonly servedBy: string | undefined;
}

/** HTTP client with connections that stay open. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  get(path: string): Promise<ServedAnswer> {
    return new Promise((resolve, reject) => {
      const request = get(this.#url + path, { agent: this.#agent }, (response) => {
        response.resume();
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            servedBy: response.headers['servido-por']?.toString(),
          }),
        );
      });
      request.once('error', reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
