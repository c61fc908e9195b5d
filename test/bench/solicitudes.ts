/**
 * Measures accepting requests and answering them later, as ratios within one run: `npm run bench:solicitudes -- [options]`
 *
 *   --rows accept,drain   measures only these rows
 *   --rounds 3            rounds of each row; the median counts
 *   --seconds 4           seconds of accepting
 *   --backlog 20000       requests in the backlog
 *   --json FILE           writes the result to a file
 *
 * It needs wrk and RabbitMQ.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { startRabbit } from '../support/servers/rabbitmq.ts';
import { type Accepting, measureAccepting } from './solicitudes/accepting.ts';
import { type Draining, measureDraining } from './solicitudes/draining.ts';
import { median } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: 'accept,drain' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    backlog: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
});

/** One line of the table: the value of each round, and the bound that its median must keep. */
interface Line {
  readonly what: string;
  readonly must: string;
  readonly found: string;
  readonly rounds: readonly number[];
  readonly met: boolean;
}

const rows = options.rows.split(',');
const lines: Line[] = [];
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const ms = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} ms`;

function note(
  what: string,
  rounds: readonly number[],
  must: { readonly least?: number; readonly most?: number },
  show: (value: number) => string,
): void {
  const middle = median(rounds);
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = must;
  const wanted = [
    ...(must.least === undefined ? [] : [`≥ ${show(must.least)}`]),
    ...(must.most === undefined ? [] : [`< ${show(must.most)}`]),
  ];
  lines.push({
    what,
    must: wanted.join(', '),
    found: show(middle),
    rounds,
    met: middle >= least && middle < most,
  });
}

const rabbit = await startRabbit();
try {
  const times = Number(options.rounds);
  if (rows.includes('accept')) {
    const found: Accepting[] = [];
    for (let round = 0; round < times; round++)
      found.push(await measureAccepting(rabbit.url, Number(options.seconds)));
    const each = <T>(of: (one: (typeof found)[number]) => T): T[] => found.map(of);
    const rate = (value: number) => `${Math.round(value)}/s`;
    note(
      'bare Koa answering a constant, 64 connections',
      each((one) => one.koa.perSecond),
      {},
      rate,
    );
    note(
      '202s, no broker',
      each((one) => one.alone.perSecond),
      {},
      rate,
    );
    note(
      '202s, RabbitMQ taking them in',
      each((one) => one.queued.perSecond),
      {},
      rate,
    );
    note(
      '202s against Koa, no broker',
      each((one) => one.alone.perSecond / one.koa.perSecond),
      { least: 0.15 },
      percent,
    );
    note(
      '202s against Koa, RabbitMQ',
      each((one) => one.queued.perSecond / one.koa.perSecond),
      { least: 0.07 },
      percent,
    );
    note(
      'p99 of a 202, no broker',
      each((one) => one.alone.p99Ms),
      { most: 50 },
      ms,
    );
    note(
      'p99 of a 202, RabbitMQ',
      each((one) => one.queued.p99Ms),
      { most: 50 },
      ms,
    );
  }
  if (rows.includes('drain')) {
    const backlog = Number(options.backlog);
    const found: Draining[] = [];
    for (let round = 0; round < times; round++) found.push(await measureDraining(rabbit.url, backlog));
    const each = (of: (one: (typeof found)[number]) => number): number[] => found.map(of);
    const rate = (value: number) => `${Math.round(value)}/s`;
    note(
      `bare amqplib, ${backlog} messages, two hops`,
      each((one) => one.bare),
      {},
      rate,
    );
    note(
      `backlog of ${backlog} answered and stored`,
      each((one) => one.ours),
      {},
      rate,
    );
    note(
      'backlog against bare amqplib',
      each((one) => one.ours / one.bare),
      { least: 0.4 },
      percent,
    );
    note(
      'first 202 after kill -9 of the service',
      each((one) => one.firstAcceptedMs),
      { most: 50 },
      ms,
    );
    note(
      'first direct answer, backlog draining',
      each((one) => one.firstDirectMs),
      { most: 1_000 },
      ms,
    );
  }
} finally {
  await rabbit.stop();
}

const report = {
  when: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`,
  lines,
};
console.log(`${report.machine}, ${report.when}\n`);
console.log('| what | must | found | |\n|---|---|---|---|');
for (const { what, must, found, met } of lines) {
  console.log(`| ${what} | ${must} | ${found} | ${must === '' ? '' : met ? 'met' : 'MISSED'} |`);
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
