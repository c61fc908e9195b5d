import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Result of one run of a load. */
export interface Sample {
  readonly perSecond: number;
  /** Milliseconds; undefined for a load without HTTP. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

export interface WrkJob {
  readonly connections: number;
  readonly seconds: number;
  /** Requested in turn; all on one host. */
  readonly urls: readonly string[];
  /** Sent as If-None-Match. */
  readonly etag?: string | undefined;
  /** Sent as Authorization. */
  readonly authorization?: string | undefined;
}

const script = fileURLToPath(new URL('../gateway.lua', import.meta.url));
const run = promisify(execFile);

/** Loads a server with wrk. Rejects when an answer was an error. */
export async function wrk({
  connections,
  seconds,
  urls,
  etag = '-',
  authorization = '-',
}: WrkJob): Promise<Sample> {
  const [first = ''] = urls;
  const paths = urls.map((url) => url.slice(new URL(url).origin.length));
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script];
  const { stdout } = await run('wrk', [...options, first, '--', etag, authorization, ...paths]);
  const { errors, ...sample } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  if (errors > 0) throw new Error(`${errors} errors of ${first}`);
  return sample;
}

const idleShare = 0.85;
const sampleMs = 40;

/**
 * Waits until the machine is idle, because servers may still work for connections that wrk has closed. Waits at most
 * 2 s, because other programs may be running.
 */
export async function untilIdle(): Promise<void> {
  const end = performance.now() + 2_000;
  let before = times();
  while (performance.now() < end) {
    await delay(sampleMs);
    const now = times();
    if ((now.idle - before.idle) / (now.all - before.all) > idleShare) return;
    before = now;
  }
}

function times(): { readonly idle: number; readonly all: number } {
  let idle = 0;
  let all = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    all += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idle, all };
}
