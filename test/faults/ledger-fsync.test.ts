import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fillLedger, idsOf, readLines } from '../support/ledger/ledger-process.ts';
import { straceMissing } from '../support/processes/strace.ts';

describe('The SQLite ledger under strace', () => {
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

  /** Returns the child's system calls after it opened the ledger, one per line. */
  async function trace(calls: string, atOnce: number, count: number, ...more: string[]): Promise<string[]> {
    const output = join(folder, 'trace');
    const under = ['strace', '-f', '-qq', '-y', '-s', '200', '-o', output, '-e', `trace=${calls}`, ...more];
    await readLines(fillLedger({ path: join(folder, 'solicitudes.db'), atOnce, count, under }).lines);
    const lines = (await readFile(output, 'utf8')).split('\n');
    return lines.slice(lines.findIndex((line) => line.includes('"open\\n"')) + 1);
  }

  /** Returns the fsyncs (`sync`) and the lines that the child printed, in the order of their ends. */
  async function syncsAndReports(atOnce: number, count: number): Promise<string[]> {
    return (await trace('fsync,fdatasync,write', atOnce, count)).flatMap((line) => {
      if (/f(?:data)?sync(?:\(| resumed).*= 0$/.test(line)) return ['sync'];
      const printed = /write\(1<.*>, "(.*)\\n"/.exec(line)?.[1];
      return printed === undefined ? [] : [printed];
    });
  }

  it('reports a row as committed only after an fsync of its own', async () => {
    let synced = false;
    const events = await syncsAndReports(1, 30);
    for (const event of events) {
      if (event !== 'sync' && event !== 'stopped') expect(synced, `a sync before: ${event}`).to.equal(true);
      synced = event === 'sync';
    }
    expect(idsOf(events, 'accepted')).to.have.length(30);
  });

  it('shares an fsync among requests that arrive together', async () => {
    const events = await syncsAndReports(64, 64);
    const last = events.findLastIndex((event) => event.startsWith('accepted'));
    expect(idsOf(events, 'accepted')).to.have.length(64);
    expect(events.slice(0, last).filter((event) => event === 'sync').length).to.be.within(1, 8);
  });

  it('writes the same positions again after a failed fsync', async () => {
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

  it('checkpoints the WAL of a killed process before its first commit', async () => {
    const path = join(folder, 'solicitudes.db');
    const killed = fillLedger({ path, count: 1_000_000 });
    for await (const line of killed.lines) if (line.startsWith('accepted')) killed.process.kill('SIGKILL');
    await killed.exited;
    const lines = await trace('pwrite64,ftruncate,fsync,write', 1, 1);
    const committed = lines.findIndex((line) => line.includes('-wal') && line.includes('pwrite64('));
    const steps = lines
      .slice(0, committed)
      .flatMap((line) => /(fsync|ftruncate)\(\d+<.*(-wal|\.db)>/.exec(line)?.slice(1).join(' ') ?? []);
    const durable = steps.filter((step) => step !== 'ftruncate .db'); // lengthens the file
    expect(durable).to.deep.equal(['fsync -wal', 'fsync .db', 'ftruncate -wal']);
  });
});
