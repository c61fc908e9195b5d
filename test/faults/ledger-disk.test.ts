import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { openSqliteLedger } from '../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { acceptance, answerOf } from '../support/ledger/ledger-calls.ts';
import { expectCommitted, fillLedger, idsOf, readLines } from '../support/ledger/ledger-process.ts';
import { straceMissing } from '../support/processes/strace.ts';

const roomy = { maxRows: 1_000_000, maxBytes: 1_000_000_000 };

describe('The SQLite ledger on a failing disk', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'archivero-ledger-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('refuses rows while the disk is full, accepts them when there is room, and loses none', async function () {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
    if (mounted.status !== 0) {
      console.log('      skipped: mounting a small disk needs root');
      return this.skip();
    }
    const path = join(folder, 'solicitudes.db');
    const filler = join(folder, 'filler');
    try {
      let ledger = await openSqliteLedger({ path, ...roomy });
      await writeFile(filler, Buffer.alloc(1_000_000));
      const kept: string[] = [];
      const acceptSome = async (round: number) => {
        const ids = Array.from({ length: 32 }, (_, index) => `r${round}-${index}`);
        const results = await Promise.allSettled(
          ids.map((id) => ledger.accept(acceptance({ id, request: '{}'.padEnd(1000) }))),
        );
        kept.push(...ids.filter((_, index) => results[index]?.status === 'fulfilled'));
        return results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      };
      let round = 0;
      let refusals: unknown[] = [];
      while (refusals.length === 0) refusals = await acceptSome(round++);
      for (const error of refusals) expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(kept.length).to.be.above(0);
      // While the disk is full, rows can be read, and a refused batch leaves none of its rows.
      expect(await ledger.get(kept[0] ?? '')).to.include({ state: 'aceptada' });
      expect(await ledger.countOpen()).to.deep.equal({ mserv1: kept.length });

      await rm(filler);
      expect(await acceptSome(round++)).to.deep.equal([]);
      await ledger.probe();
      await ledger.close(kept[0] ?? '', { state: 'completada', answer: answerOf('ya'), at: 2000 });
      await ledger.stop();
      ledger = await openSqliteLedger({ path, ...roomy });
      for (const id of kept) expect(await ledger.get(id)).to.include({ id });
      expect(await ledger.countOpen()).to.deep.equal({ mserv1: kept.length - 1 });
      await ledger.stop();
    } finally {
      spawnSync('umount', [folder]);
    }
  });

  // Each fault is injected many times once the ledger is open, also into checkpoints.
  for (const fault of ['fsync:error=EIO', 'pwrite64:error=EIO', 'pwrite64:error=ENOSPC']) {
    it(`reports no row as committed whose write failed with ${fault}`, async function () {
      const missing = straceMissing();
      if (missing) {
        console.log(`      skipped: ${missing}`);
        return this.skip();
      }
      const path = join(folder, 'solicitudes.db');
      const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `inject=${fault}:when=150+97`];
      const lines = await readLines(fillLedger({ path, count: 1000, atOnce: 2, under }).lines);
      expect(lines.at(-1)).to.equal('stopped');
      expect(idsOf(lines, 'refused').length).to.be.above(0);
      expect(idsOf(lines, 'accepted').length).to.be.above(500);
      for (const line of lines.filter((each) => each.startsWith('refused'))) {
        expect(line).to.match(/ LedgerUnavailableError$/);
      }
      const ledger = await openSqliteLedger({ path, ...roomy });
      await expectCommitted(ledger, lines);
      await ledger.stop();
    });
  }
});
