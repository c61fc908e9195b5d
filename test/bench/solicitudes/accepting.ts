import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../scripts/free-ports.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { quiet } from '../gateway/load.ts';
import { answers, Program } from '../gateway/program.ts';
import { load, type Sample } from './load.ts';
import { startSetUp } from './set-up.ts';

const constant = fileURLToPath(new URL('../peers/constant.ts', import.meta.url));
/** As long as a 202. */
const body = 'x'.repeat(397);

export interface Accepting {
  readonly koa: Sample;
  readonly alone: Sample;
  /** With RabbitMQ taking them in at the same time. */
  readonly queued: Sample;
}

/** 202s of a gateway whose service is down, beside a Koa that answers every request with the same bytes. */
export async function measureAccepting(rabbit: string, seconds: number): Promise<Accepting> {
  return {
    koa: await ofKoa(seconds),
    alone: await ofGateway('', seconds),
    queued: await ofGateway(rabbit, seconds),
  };
}

async function ofKoa(seconds: number): Promise<Sample> {
  using folder = new TemporaryFolder();
  writeFileSync(folder.join('body'), body);
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}/body`;
  const env = { NODE_ENV: 'production' };
  const koa = new Program(process.execPath, [constant, 'koa', String(port), folder.path], { env });
  try {
    await koa.until(() => answers(url));
    await load(url, 1, 'same');
    await quiet();
    return await load(url, seconds, 'same');
  } finally {
    await koa.stop();
  }
}

async function ofGateway(rabbit: string, seconds: number): Promise<Sample> {
  const it = await startSetUp(rabbit);
  try {
    return await warm(it.url, seconds);
  } finally {
    await it.stop();
  }
}

/** The first second is for the compilers. */
async function warm(url: string, seconds: number): Promise<Sample> {
  await load(url, 1);
  await quiet();
  return load(url, seconds);
}
