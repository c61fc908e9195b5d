import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../scripts/free-ports.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { untilIdle } from '../gateway/load.ts';
import { answers, Program } from '../gateway/program.ts';
import { type LoadSample, load } from './load.ts';
import { startSetUp } from './set-up.ts';

const constant = fileURLToPath(new URL('../peers/constant.ts', import.meta.url));
/** A body of the length of a 202's. */
const body = 'x'.repeat(397);

export interface Accepting {
  readonly koa: LoadSample;
  readonly alone: LoadSample;
  /** With RabbitMQ, to which the requests are published meanwhile. */
  readonly queued: LoadSample;
}

/** Measures the 202s of a gateway whose service is down, beside a Koa server that answers with constant bytes. */
export async function measureAccepting(rabbit: string, seconds: number): Promise<Accepting> {
  return {
    koa: await measureKoa(seconds),
    alone: await measureGateway('', seconds),
    queued: await measureGateway(rabbit, seconds),
  };
}

async function measureKoa(seconds: number): Promise<LoadSample> {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join('body'), body);
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/body`;
  const env = { NODE_ENV: 'production' };
  const koa = new Program(process.execPath, [constant, 'koa', String(port), folder.path], { env });
  try {
    await koa.until(() => answers(url));
    await load(url, 1, 'same');
    await untilIdle();
    return await load(url, seconds, 'same');
  } finally {
    await koa.stop();
  }
}

async function measureGateway(rabbit: string, seconds: number): Promise<LoadSample> {
  const it = await startSetUp(rabbit);
  try {
    return await measureWarm(it.url, seconds);
  } finally {
    await it.stop();
  }
}

/** Measures after one unmeasured second, in which V8 compiles. */
async function measureWarm(url: string, seconds: number): Promise<LoadSample> {
  await load(url, 1);
  await untilIdle();
  return load(url, seconds);
}
