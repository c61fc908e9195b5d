import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Ledger, LedgerFullError, LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { LedgerLockedError } from '../../gateway/solicitudes/sqlite/database.ts';
import { applicationId, migrations } from '../../gateway/solicitudes/sqlite/migrations.ts';
import { openSqliteLedger } from '../../gateway/solicitudes/sqlite/sqlite-ledger.ts';
import { acceptance } from '../support/ledger/ledger-calls.ts';
import { ledgerContract } from '../support/ledger/ledger-contract.ts';

const makeFolder = () => mkdtemp(join(tmpdir(), 'archivero-ledger-'));

ledgerContract(
  'A SQLite file',
  async () => {
    const folder = await makeFolder();
    return {
      open: (bounds) => openSqliteLedger({ path: join(folder, 'solicitudes.db'), ...bounds }),
      remove: () => rm(folder, { recursive: true }),
    };
  },
  6,
);

describe('The SQLite ledger', () => {
  let folder: string;
  let path: string;
  const ledgers: Ledger[] = [];

  const open = async (more: { path?: string; maxPending?: number } = {}) => {
    const ledger = await openSqliteLedger({ path, maxRows: 1000, maxBytes: 1_000_000, ...more });
    ledgers.push(ledger);
    return ledger;
  };
  const failure = (opening: Promise<unknown>) =>
    opening.then(
      () => expect.fail('the ledger was opened'),
      (error: unknown) => error as Error,
    );

  beforeEach(async () => {
    folder = await makeFolder();
    path = join(folder, 'data', 'solicitudes.db');
  });

  afterEach(async () => {
    await Promise.all(ledgers.splice(0).map((ledger) => ledger.stop()));
    await rm(folder, { recursive: true });
  });

  it('creates its folder, and files that only their owner may read', async () => {
    const ledger = await open();
    await ledger.accept(acceptance({ id: 'a' }));
    for (const file of [path, `${path}-wal`, `${path}-shm`]) {
      expect((await stat(file)).mode & 0o777, file).to.equal(0o600);
    }
    await ledger.stop();
    await chmod(path, 0o644);
    await open();
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('leaves one file and no WAL when it stops', async () => {
    const ledger = await open();
    await ledger.accept(acceptance({ id: 'a' }));
    await ledger.stop();
    const left = await stat(`${path}-wal`).catch((error: NodeJS.ErrnoException) => error.code);
    expect(left).to.equal('ENOENT');
  });

  it('is locked against a second opener, also under another name', async () => {
    const holder = await open();
    await symlink(path, join(folder, 'other.db'));
    for (const name of [path, join(folder, 'other.db')]) {
      const error = await failure(open({ path: name }));
      expect(error).to.be.instanceOf(LedgerLockedError);
      expect(error.message).to.contain(path).and.to.contain('in use');
    }
    await holder.accept(acceptance({ id: 'a' })); // the first opener goes on
    await holder.stop();
    expect(await (await open()).get('a')).to.include({ id: 'a' });
  });

  it('can be read and backed up by another process while it is open', async () => {
    const ledger = await open();
    await ledger.accept(acceptance({ id: 'a' }));
    const copy = join(folder, 'copy.db');
    const script = `
      const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
      db.prepare('VACUUM INTO ?').run(process.argv[2]);
      console.log(db.prepare('SELECT id, state FROM requests').all());`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, path, copy]);
    expect(stdout).to.contain("id: 'a'").and.contain("state: 'aceptada'");
    await ledger.accept(acceptance({ id: 'b' }));
    expect(await (await open({ path: copy })).countOpen()).to.deep.equal({ mserv1: 1 });
  });

  it('answers reads while a write waits', async () => {
    const ledger = await open();
    await ledger.accept(acceptance({ id: 'a' }));
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE'); // blocks every write
    let settled = false;
    const accepted = ledger.accept(acceptance({ id: 'b' })).finally(() => {
      settled = true;
    });
    expect(await ledger.get('a')).to.include({ id: 'a' });
    expect(await ledger.get('b')).to.equal(undefined);
    expect(settled).to.equal(false);
    other.exec('COMMIT');
    other.close();
    await accepted;
    expect(await ledger.get('b')).to.include({ id: 'b' });
  });

  it('refuses writes while another process locks the file, and takes them afterwards', async () => {
    const ledger = await open();
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    expect(await failure(ledger.accept(acceptance({ id: 'a' })))).to.be.instanceOf(LedgerUnavailableError);
    expect(await failure(ledger.probe())).to.be.instanceOf(LedgerUnavailableError);
    other.exec('ROLLBACK');
    other.close();
    await ledger.accept(acceptance({ id: 'a' }));
    expect(await ledger.countOpen()).to.deep.equal({ mserv1: 1 });
  });

  it('rolls back a batch that fails halfway', async () => {
    const ledger = await open();
    const other = new DatabaseSync(path);
    other.exec('ALTER TABLE totals RENAME TO missing');
    const batch = [ledger.published('x', 1, 2), ledger.accept(acceptance({ id: 'a' })), ledger.probe()];
    for (const error of await Promise.all(batch.map(failure))) {
      expect(error).to.be.instanceOf(LedgerUnavailableError);
    }
    other.exec('ALTER TABLE missing RENAME TO totals');
    other.close();
    await ledger.accept(acceptance({ id: 'a' }));
    expect(await ledger.countOpen()).to.deep.equal({ mserv1: 1 });
  });

  it('refuses a file of a newer version', async () => {
    await (await open()).stop();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const error = await failure(open());
    expect(error).to.be.instanceOf(LedgerUnavailableError);
    expect(error.message).to.contain(path).and.contain('99').and.contain('newer');
  });

  it('migrates an older file and keeps its rows', async () => {
    await mkdir(join(folder, 'data'));
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA application_id = ${applicationId}; ${migrations[0]}; PRAGMA user_version = 1`);
    const insert = db.prepare(
      `INSERT INTO requests VALUES (:id, 'mserv1', 'listar_archivos', '{}', '/listar_archivos', 'json', 'es', 'anonimo',
         'peticion', 'traza', 'testigo', 1000, 90000, 1000, 'aceptada', 0, NULL, 0, NULL,
         '[{"state":"aceptada","at":1000}]', NULL, NULL, NULL)`,
    );
    for (const id of ['c', 'a', 'b']) insert.run({ id });
    db.exec(`UPDATE requests SET state = 'completada', closed_at = 2000, answer_status = 200, answer_headers = '{}',
      answer_body = x'00ff' WHERE id = 'c'`);
    const ledgerId = db.prepare('SELECT id FROM ledger').get()?.['id'];
    const totals = db.prepare('SELECT * FROM totals').all();
    db.close();

    const ledger = await open();
    expect(ledger.id).to.equal(ledgerId);
    expect((await ledger.claim('mserv1', 1000, 1000, 9)).map(({ id }) => id)).to.deep.equal(['a', 'b']);
    expect((await ledger.answer('c'))?.body).to.deep.equal(Buffer.from([0, 255]));
    expect(await ledger.get('c')).to.include({ key: undefined, retryOf: undefined, closedAt: 2000 });
    await ledger.accept(acceptance({ id: 'd', request: '{}', key: 'clave' }));
    await ledger.close('d', { state: 'cancelada', at: 1000 });
    await ledger.purge(1001);
    await ledger.stop();
    const after = new DatabaseSync(path);
    const texts = ['{}', '/listar_archivos', 'anonimo', 'peticion', 'traza', 'testigo'].join('').length;
    // The migration counts the bytes again: three rows with their texts, one answer with headers and body.
    const bytes = 3 * (400 + texts) + '{}'.length + 2;
    expect(after.prepare('SELECT * FROM totals').all()).to.deep.equal([{ ...totals[0], bytes }]);
    after.close();
  });

  it('refuses the database of another program, and leaves it unchanged', async () => {
    await mkdir(join(folder, 'data'));
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE recipes (name TEXT)');
    const error = await failure(open());
    expect(error).to.be.instanceOf(LedgerUnavailableError);
    expect(error.message).to.contain(path).and.contain('not a ledger');
    expect(db.prepare('SELECT name FROM sqlite_schema').all()).to.have.length(1);
    db.close();
  });

  it('refuses a folder, a file that is no database, and a path whose folder cannot be created', async () => {
    await mkdir(path, { recursive: true });
    const file = join(folder, 'notes.txt');
    await writeFile(file, 'These are notes and no database. '.repeat(200));
    for (const name of [path, file, join(file, 'x', 'solicitudes.db')]) {
      const error = await failure(open({ path: name }));
      expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(error.message).to.contain(`The ledger ${name} cannot be opened: `);
    }
  });

  it('releases its lock when it cannot be opened', async () => {
    await mkdir(join(folder, 'data'));
    await writeFile(path, 'no database '.repeat(1000));
    await failure(open());
    await rm(path);
    await open();
  });

  it('refuses a request at once when maxPending requests wait', async () => {
    const ledger = await open({ maxPending: 3 });
    const results = await Promise.allSettled(
      ['a', 'b', 'c', 'd'].map((id) => ledger.accept(acceptance({ id }))),
    );
    expect(results.map(({ status }) => status)).to.deep.equal([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    const error = results[3]?.status === 'rejected' ? (results[3].reason as Error) : undefined;
    expect(error).to.be.instanceOf(LedgerFullError);
    expect(error?.message).to.equal("3 requests already wait for the ledger's disk");
    await ledger.accept(acceptance({ id: 'd' }));
  });
});
