import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { all, fillLedger, reported, straceMissing } from '../support/ledger-process.ts';

describe("The SQLite ledger's fsyncs, as the kernel sees them", () => {
  let folder: string;
  before(function () {
    const missing = straceMissing();
    if (!missing) return;
    console.log(`    skipped: ${missing}`);
    this.skip();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archivero-ledger-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What the child did, in the order of its ends: `sync`, or a line that it printed. */
  async function traced(atOnce: number, count: number): Promise<string[]> {
    const trace = join(folder, 'trace');
    const under = ['strace', '-f', '-qq', '-s', '200', '-o', trace, '-e', 'trace=fsync,fdatasync,write'];
    await all(fillLedger({ path: join(folder, 'solicitudes.db'), atOnce, count, under }).lines);
    const events = (await readFile(trace, 'utf8')).split('\n').flatMap((line) => {
      if (/f(?:data)?sync(?:\(| resumed).*= 0$/.test(line)) return ['sync'];
      const printed = /write\(1, "(.*)\\n"/.exec(line)?.[1];
      return printed === undefined ? [] : [printed];
    });
    return events.slice(events.indexOf('open') + 1);
  }

  it('reports nothing as committed before its own fsync is over', async () => {
    let synced = false;
    const events = await traced(1, 30);
    for (const event of events) {
      if (event !== 'sync' && event !== 'stopped') expect(synced, `a sync before: ${event}`).to.equal(true);
      synced = event === 'sync';
    }
    expect(reported(events, 'accepted')).to.have.length(30);
  });

  it('shares one fsync among the requests that arrive together', async () => {
    const events = await traced(64, 64);
    const last = events.findLastIndex((event) => event.startsWith('accepted'));
    expect(reported(events, 'accepted')).to.have.length(64);
    expect(events.slice(0, last).filter((event) => event === 'sync').length).to.be.within(1, 8);
  });
});
