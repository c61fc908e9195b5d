import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openSqliteLedger } from '../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { expectCommitted, fillLedger, readLines } from '../support/ledger/ledger-process.ts';

describe('The SQLite ledger under kill -9', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archivero-ledger-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('holds all rows that it reported as committed in every round of fill and kill', async () => {
    const path = join(folder, 'solicitudes.db');
    const lines: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const child = fillLedger({ path, prefix: `r${round}-`, atOnce: 16, count: 1_000_000 });
      const killAfter = 1 + ((round * 379) % 1000); // in the first burst, later, or after checkpoints
      const seen: string[] = [];
      for await (const line of child.lines) {
        if (seen.push(line) === killAfter) child.process.kill('SIGKILL');
      }
      await child.exited;

      const ledger = await openSqliteLedger({ path, maxRows: 1_000_000, maxBytes: 1_000_000_000 });
      await expectCommitted(ledger, seen);
      lines.push(...seen);
      if (round === 5) await expectCommitted(ledger, lines); // rows of earlier rounds are still there
      await ledger.stop();
    }
  });

  it('can be opened by the next process as soon as the first is dead', async () => {
    const path = join(folder, 'solicitudes.db');
    const first = fillLedger({ path, count: 1_000_000 });
    for await (const line of first.lines) {
      if (line !== 'open') break;
    }
    const refused = await readLines(fillLedger({ path, prefix: 'second-', count: 1 }).lines);
    first.process.kill('SIGKILL');
    await first.exited;
    const welcome = await readLines(fillLedger({ path, prefix: 'third-', count: 1 }).lines);

    expect(refused).to.have.length(1);
    expect(refused[0])
      .to.match(/^LedgerLockedError /)
      .and.contain(path);
    expect(welcome).to.deep.equal(['open', 'accepted third-0', 'stopped']);
  });
});
