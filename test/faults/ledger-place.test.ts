import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect } from 'chai';
import { LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { LedgerLockedError } from '../../gateway/solicitudes/sqlite/database.ts';
import { openSqliteLedger } from '../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { Mounts, mountMissing } from '../support/files/mounts.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { acceptance } from '../support/ledger/ledger-calls.ts';
import { unprivileged } from '../support/processes/unprivileged.ts';

const open = (path: string) => openSqliteLedger({ path, maxRows: 1000, maxBytes: 1_000_000 });
const failure = (opening: Promise<unknown>) =>
  opening.then(
    () => expect.fail('the ledger was opened'),
    (error: unknown) => error as Error,
  );

describe('The place of a SQLite ledger', () => {
  it('is refused when a folder, a FIFO or a link to a device is there, which all stay as they are', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('carpeta'));
    spawnSync('mkfifo', ['-m', '644', folder.join('tubo')]);
    // A device like /dev/null, but its own: the mode of the system's would be lost.
    const made = spawnSync('mknod', ['-m', '666', folder.join('nulo'), 'c', '1', '3']).status === 0;
    symlinkSync(made ? 'nulo' : 'tubo', folder.join('enlace'));
    for (const name of ['carpeta', 'tubo', 'enlace']) {
      const { mode } = statSync(folder.join(name));
      const error = await failure(open(folder.join(name)));
      expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(error.message).to.contain('not a regular file');
      expect(statSync(folder.join(name)).mode).to.equal(mode);
    }
    expect(readdirSync(folder.path)).to.not.include('enlace.lock').and.to.not.include('nulo.lock');
  });

  describe('in a namespace with mounts', () => {
    before(function () {
      const missing = mountMissing();
      if (missing === undefined) return;
      console.log(`      skipped: ${missing}`);
      this.skip();
    });

    for (const [kind, mounted] of [
      ['file', ''],
      ['WAL', '-wal'],
      ['lock', '.lock'],
    ] as const) {
      it(`is refused when its ${kind} is mounted by itself, in a folder whose name has a blank`, async () => {
        using folder = new TemporaryFolder();
        using mounts = new Mounts();
        for (const name of ['host', 'mi ñandú\\']) mkdirSync(folder.join(name));
        const [outside, inside] = ['host', 'mi ñandú\\'].map((name) => folder.join(name, `l.db${mounted}`));
        for (const file of [outside, inside]) writeFileSync(file ?? '', '');
        mounts.bind(outside ?? '', inside ?? '');
        const error = await failure(open(folder.join('mi ñandú\\', 'l.db')));
        expect(error).to.be.instanceOf(LedgerUnavailableError);
        expect(error.message).to.contain(`${inside} is mounted by itself. Mount its folder instead`);
      });
    }

    it('is used when its folder is mounted, and is locked under both paths of the folder', async () => {
      using folder = new TemporaryFolder();
      using mounts = new Mounts();
      for (const name of ['host', 'data']) mkdirSync(folder.join(name));
      mounts.bind(folder.join('host'), folder.join('data'));
      const ledger = await open(folder.join('data', 'l.db'));
      await ledger.accept(acceptance({ id: 'a' }));
      expect(await failure(open(folder.join('host', 'l.db')))).to.be.instanceOf(LedgerLockedError);
      await ledger.stop();
      const again = await open(folder.join('host', 'l.db'));
      expect(await again.get('a')).to.include({ id: 'a' });
      await again.stop();
    });

    it('is refused on a file system that is mounted read-only', async () => {
      using folder = new TemporaryFolder();
      using mounts = new Mounts();
      mounts.tmpfs(folder.path);
      writeFileSync(folder.join('l.db'), '');
      spawnSync('mount', ['-o', 'remount,ro', folder.path]);
      const error = await failure(open(folder.join('l.db')));
      expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(error.message).to.contain('read-only');
    });
  });

  it('is refused when the file has a second name, under which it would have another WAL and lock', async () => {
    using folder = new TemporaryFolder();
    const first = await open(folder.join('l.db'));
    linkSync(folder.join('l.db'), folder.join('m.db'));
    const error = await failure(open(folder.join('m.db')));
    expect(error).to.be.instanceOf(LedgerUnavailableError);
    expect(error.message).to.contain('2 names (hard links)');
    await first.stop();
    unlinkSync(folder.join('m.db'));
    await (await open(folder.join('l.db'))).stop();
  });

  it('is refused when its WAL is a symbolic link to another folder', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('other'));
    symlinkSync(folder.join('other', 'wal'), folder.join('l.db-wal'));
    const error = await failure(open(folder.join('l.db')));
    expect(error).to.be.instanceOf(LedgerUnavailableError);
  });

  it('is the target of a symbolic link, from the first start on, when the target is missing too', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('data'));
    symlinkSync(folder.join('data', 'l.db'), folder.join('link.db'));
    const ledger = await open(folder.join('link.db'));
    expect(await failure(open(folder.join('data', 'l.db')))).to.be.instanceOf(LedgerLockedError);
    await ledger.stop();
  });

  it('is refused when its folder cannot be written, with the reason', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('data'));
    const path = folder.join('data', 'l.db');
    writeFileSync(path, '');
    spawnSync('chmod', ['755', folder.path]);
    spawnSync('chmod', ['666', path]);
    spawnSync('chmod', ['555', folder.join('data')]);
    const error = await unprivileged(() => failure(open(path)));
    expect(error).to.be.instanceOf(LedgerUnavailableError);
    expect(error.message).to.contain('the WAL and the lock are created in its folder');
    spawnSync('chmod', ['755', folder.join('data')]);
  });

  for (const name of ['-wal', '-shm', '.lock', '']) {
    it(`takes no further request once the file l.db${name} is deleted`, async () => {
      using folder = new TemporaryFolder();
      const ledger = await open(folder.join('l.db'));
      await ledger.accept(acceptance({ id: 'a' }));
      rmSync(folder.join(`l.db${name}`));
      const error = await failure(ledger.accept(acceptance({ id: 'b' })));
      expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(error.message).to.contain(`l.db${name} was deleted or replaced`);
      await ledger.stop();
    });
  }
});
