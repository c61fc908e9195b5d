import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { all, fillLedger, reported, straceMissing } from '../support/ledger/ledger-process.ts';

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

  /** What the child's system calls were, one per line, after it had opened the ledger. */
  async function trace(calls: string, atOnce: number, count: number, ...more: string[]): Promise<string[]> {
    const output = join(folder, 'trace');
    const under = ['strace', '-f', '-qq', '-y', '-s', '200', '-o', output, '-e', `trace=${calls}`, ...more];
    await all(fillLedger({ path: join(folder, 'solicitudes.db'), atOnce, count, under }).lines);
    const lines = (await readFile(output, 'utf8')).split('\n');
    return lines.slice(lines.findIndex((line) => line.includes('"open\\n"')) + 1);
  }

  /** In the order in which they ended: `sync`, or a line that the child printed. */
  async function syncsAndReports(atOnce: number, count: number): Promise<string[]> {
    return (await trace('fsync,fdatasync,write', atOnce, count)).flatMap((line) => {
      if (/f(?:data)?sync(?:\(| resumed).*= 0$/.test(line)) return ['sync'];
      const printed = /write\(1<.*>, "(.*)\\n"/.exec(line)?.[1];
      return printed === undefined ? [] : [printed];
    });
  }

  it('reports nothing as committed before its own fsync is over', async () => {
    let synced = false;
    const events = await syncsAndReports(1, 30);
    for (const event of events) {
      if (event !== 'sync' && event !== 'stopped') expect(synced, `a sync before: ${event}`).to.equal(true);
      synced = event === 'sync';
    }
    expect(reported(events, 'accepted')).to.have.length(30);
  });

  it('shares one fsync among the requests that arrive together', async () => {
    const events = await syncsAndReports(64, 64);
    const last = events.findLastIndex((event) => event.startsWith('accepted'));
    expect(reported(events, 'accepted')).to.have.length(64);
    expect(events.slice(0, last).filter((event) => event === 'sync').length).to.be.within(1, 8);
  });

  it('writes again, in the same places, what an fsync that failed left in doubt', async () => {
    const lines = await trace('pwrite64,fsync', 1, 20, '-e', 'inject=fsync:error=EIO:when=20');
    const failed = lines.findIndex((line) => line.includes('INJECTED'));
    const places = (some: string[]) =>
      some.flatMap((line) => /-wal>, .* (\d+)\) += \d+$/.exec(line)?.[1] ?? []);
    const before = places(
      lines.slice(
        lines.findLastIndex((line, at) => at < failed && line.includes('fsync(')),
        failed,
      ),
    );
    expect(before.length).to.be.above(0);
    expect(places(lines.slice(failed)).slice(0, before.length)).to.deep.equal(before);
  });

  it('moves the WAL that a dead process left into the database before it commits anything', async () => {
    const path = join(folder, 'solicitudes.db');
    const killed = fillLedger({ path, count: 1_000_000 });
    for await (const line of killed.lines) if (line.startsWith('accepted')) killed.process.kill('SIGKILL');
    await killed.exited;
    const lines = await trace('pwrite64,ftruncate,fsync,write', 1, 1);
    const committed = lines.findIndex((line) => line.includes('-wal') && line.includes('pwrite64('));
    const steps = lines
      .slice(0, committed)
      .flatMap((line) => /(fsync|ftruncate)\(\d+<.*(-wal|\.db)>/.exec(line)?.slice(1).join(' ') ?? []);
    const durable = steps.filter((step) => step !== 'ftruncate .db'); // the file is made longer
    expect(durable).to.deep.equal(['fsync -wal', 'fsync .db', 'ftruncate -wal']);
  });
});
