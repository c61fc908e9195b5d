import { expect } from 'chai';
import { pino } from 'pino';
import { type Change, type Ledger, LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { openPostgresLedger } from '../../gateway/solicitudes/postgres/postgres-ledger.ts';
import { rowSize } from '../../gateway/solicitudes/row-size.ts';
import { acceptance, answerOf } from '../support/ledger/ledger-calls.ts';
import { ledgerContract } from '../support/ledger/ledger-contract.ts';
import { type Postgres, sharedPostgres } from '../support/servers/postgres.ts';

const log = pino({ level: 'silent' });
const bounds = { maxRows: 100_000, maxBytes: 100_000_000 };

ledgerContract(
  'A PostgreSQL database',
  async () => {
    const postgres = await sharedPostgres();
    const url = await postgres.database();
    return {
      open: (limits) => openPostgresLedger({ url, log, ...limits }),
      remove: async () => undefined,
    };
  },
  1,
);

describe('The PostgreSQL ledger', () => {
  let postgres: Postgres;
  let url: string;
  const ledgers: Ledger[] = [];

  const open = async (at = url): Promise<Ledger> => {
    const ledger = await openPostgresLedger({ url: at, log, ...bounds });
    ledgers.push(ledger);
    return ledger;
  };
  const failure = (opening: Promise<unknown>) =>
    opening.then(
      () => expect.fail('the ledger was opened'),
      (error: unknown) => error as Error,
    );

  beforeEach(async () => {
    postgres = await sharedPostgres();
    url = await postgres.database();
  });

  afterEach(async () => {
    await Promise.all(ledgers.splice(0).map((ledger) => ledger.stop()));
  });

  it('creates its schema once when five gateways open it at the same time', async () => {
    const opened = await Promise.all(Array.from({ length: 5 }, () => open()));
    expect(new Set(opened.map(({ id }) => id)).size).to.equal(1);
    expect(await postgres.query(url, 'SELECT version FROM archivero.migrations')).to.deep.equal([
      { version: 1 },
      { version: 2 },
    ]);
  });

  it('runs a missing migration, which counts its bytes again', async () => {
    const before = await open();
    const [pending, closed] = [acceptance({ id: 'a' }), acceptance({ id: 'b', key: 'clave' })];
    await Promise.all([before.accept(pending), before.accept(closed)]);
    const answer = answerOf('0123456789');
    await before.close('b', { state: 'completada', answer, at: 2000 });
    await before.stop();
    await postgres.query(url, 'DELETE FROM archivero.migrations WHERE version = 2');
    await postgres.query(url, 'UPDATE archivero.totals SET bytes = 7');
    await open();
    const bytes = rowSize(pending) + rowSize(closed) + JSON.stringify(answer.headers).length + 10;
    expect(await postgres.query(url, 'SELECT rows, open, bytes FROM archivero.totals')).to.deep.equal([
      { rows: '2', open: '1', bytes: String(bytes) },
    ]);
  });

  it('gives each due row to one gateway, and each key to one request', async () => {
    const gateways = await Promise.all(Array.from({ length: 3 }, () => open()));
    const ids = Array.from({ length: 600 }, (_, index) => `id-${index}`);
    await Promise.all(ids.map((id, index) => gateways[index % 3]?.accept(acceptance({ id }))));
    const claimed: string[] = [];
    await Promise.all(
      gateways.map(async (ledger) => {
        for (;;) {
          const rows = await ledger.claim('mserv1', 1000, 5000, 25);
          if (rows.length === 0) return;
          claimed.push(...rows.map(({ id }) => id));
        }
      }),
    );
    expect(claimed).to.have.members(ids);

    for (let round = 0; round < 20; round++) {
      const key = `clave-${round}`;
      const accepted = await Promise.all(
        gateways.map((ledger, index) => ledger.accept(acceptance({ id: `k-${round}-${index}`, key }))),
      );
      const kept = await gateways[0]?.withKey('anonimo', key);
      expect(accepted.filter((row) => row === undefined)).to.have.length(1);
      expect(accepted.filter((row) => row !== undefined).map(({ id }) => id)).to.deep.equal([
        kept?.id,
        kept?.id,
      ]);
    }
    expect(await gateways[1]?.countOpen()).to.deep.equal({ mserv1: 620 });
  });

  it('changes the same rows from two gateways without a deadlock, and keeps its totals right', async () => {
    const [one, two] = [await open(), await open()];
    const ids = Array.from({ length: 400 }, (_, index) => `id-${index}`);
    await Promise.all(ids.map((id) => one.accept(acceptance({ id }))));
    const answer = answerOf('0123456789');
    await Promise.all([
      ...ids.map((id) => one.published(id, 2000, 5000)),
      ...ids.toReversed().map((id) => two.defer(id, 6000)),
      ...ids.toReversed().map((id) => two.close(id, { state: 'completada', answer, at: 2000 })),
      ...ids.map((id) => one.close(id, { state: 'cancelada', at: 2000 })),
      one.makeDue('mserv1', 0),
      two.deferQueued('mserv1', 5000, 7000),
      one.expire(3000),
    ]);
    const rows = await Promise.all(ids.map((id) => one.get(id)));
    expect(rows.every((row) => row?.closedAt === 2000)).to.equal(true);
    const answered = rows.filter((row) => row?.state === 'completada').length;
    const requestBytes = ids.reduce((sum, id) => sum + rowSize(acceptance({ id })), 0);
    const bytes = String(requestBytes + answered * (JSON.stringify(answer.headers).length + 10));
    expect(
      await postgres.query(url, 'SELECT service, rows, open, bytes FROM archivero.totals'),
    ).to.deep.equal([{ service: 'mserv1', rows: '400', open: '0', bytes }]);
    expect(await two.purge(2001)).to.equal(400);
    expect(await postgres.query(url, 'SELECT rows, open, bytes FROM archivero.totals')).to.deep.equal([
      { rows: '0', open: '0', bytes: '0' },
    ]);
  });

  it('reports the changes of one gateway to the others, in order', async () => {
    const [one, two] = [await open(), await open()];
    const reported: Change[] = [];
    const allReported = Promise.withResolvers<void>();
    const listening = Promise.withResolvers<void>();
    two.subscribe({
      changed: (changes) => {
        for (const change of changes) if (change.id === 'first') listening.resolve();
        reported.push(...changes.filter(({ id }) => id !== 'first'));
        if (reported.length === 3 * 300) allReported.resolve();
      },
      missed: () => {},
    });
    // The change is repeated until the subscription has reported it once.
    await one.accept(acceptance({ id: 'first' }));
    const repeating = setInterval(() => void one.published('first', 1000, 5000), 50);
    await listening.promise.finally(() => clearInterval(repeating));

    const ids = Array.from({ length: 300 }, (_, index) => `id-${index}`);
    await Promise.all(
      ids.map(async (id) => {
        await one.accept(acceptance({ id, service: 'mserv2' }));
        await one.published(id, 2000, 5000);
        await one.close(id, { state: 'fallida', at: 3000 });
      }),
    );
    await allReported.promise;
    for (const id of ids) {
      expect(reported.filter((change) => change.id === id)).to.deep.equal([
        { id, service: 'mserv2', state: 'aceptada' },
        { id, service: 'mserv2', state: 'encolada' },
        { id, service: 'mserv2', state: 'fallida' },
      ]);
    }
  });

  it('commits synchronously although the server defaults to asynchronous commits', async () => {
    await postgres.query(
      url,
      `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`,
    );
    const ledger = await open();
    await postgres.query(
      url,
      `CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN NEW.request_id := current_setting('synchronous_commit'); RETURN NEW; END $$;
       CREATE TRIGGER spy BEFORE INSERT ON archivero.requests FOR EACH ROW EXECUTE FUNCTION spy()`,
    );
    await ledger.accept(acceptance({ id: 'a' }));
    expect((await ledger.get('a'))?.requestId).to.equal('on');
  });

  it('needs only rights on its own tables once they exist', async () => {
    await open();
    const user = `user_${new URL(url).pathname.slice(1)}`;
    await postgres.query(
      url,
      `CREATE ROLE ${user} LOGIN; GRANT USAGE ON SCHEMA archivero TO ${user};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA archivero TO ${user}`,
    );
    const as = new URL(url);
    as.username = user;
    const ledger = await open(as.href);
    await ledger.accept(acceptance({ id: 'a' }));
    await ledger.close('a', { state: 'cancelada', at: 2000 });
    expect(await ledger.purge(3000)).to.equal(1);
  });

  it('refuses a missing database, and a schema of a newer version', async () => {
    const nowhere = new URL(url);
    nowhere.pathname = '/no_such_database';
    const missing = await failure(open(nowhere.href));
    expect(missing).to.be.instanceOf(LedgerUnavailableError);
    expect(missing.message).to.contain('no_such_database');

    await open();
    await postgres.query(url, 'INSERT INTO archivero.migrations (version) VALUES (99)');
    const newer = await failure(open());
    expect(newer).to.be.instanceOf(LedgerUnavailableError);
    expect(newer.message).to.contain('99').and.contain('newer');
  });

  for (const encoding of ['SQL_ASCII', 'LATIN1', 'WIN1252', 'EUC_JP']) {
    it(`refuses a database in ${encoding}, with a statement that creates a usable one`, async () => {
      const error = await failure(
        open(await postgres.database(`ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`)),
      );
      expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(error.message).to.contain(encoding);
      const [statement = ''] = /CREATE DATABASE archivero .+$/.exec(error.message) ?? [];
      const name = `from_${encoding.toLowerCase()}`;
      await postgres.query(url, statement.replace('archivero', name));
      const made = new URL(url);
      made.pathname = `/${name}`;
      const ledger = await open(made.href);
      await ledger.accept(acceptance({ id: 'a', caller: 'ñandú €', request: '{"ruta":"日本"}' }));
      expect(await ledger.get('a')).to.include({ caller: 'ñandú €', request: '{"ruta":"日本"}' });
    });
  }

  it('is not hindered by time limits that the database sets for every session', async () => {
    const unlimited = `${url}?options=${encodeURIComponent('-c statement_timeout=0 -c lock_timeout=0')}`;
    for (const name of ['statement_timeout', 'lock_timeout'])
      await postgres.query(unlimited, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${name} = '1ms'`);
    const ledgers = await Promise.all(Array.from({ length: 3 }, () => open()));
    await postgres.query(
      unlimited,
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
       CREATE TRIGGER slow BEFORE INSERT ON archivero.requests FOR EACH ROW EXECUTE FUNCTION slow()`,
    );
    await Promise.all(ledgers.map((ledger, index) => ledger.accept(acceptance({ id: `id-${index}` }))));
    expect(await ledgers[0]?.countOpen()).to.deep.equal({ mserv1: 3 });
  });

  it('stores the other requests of a batch when one cannot be stored', async () => {
    const ledger = await open();
    const results = await Promise.allSettled(
      ['a', 'b\0', 'c'].map((id) => ledger.accept(acceptance({ id, caller: id }))),
    );
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect(await ledger.countOpen()).to.deep.equal({ mserv1: 2 });
  });
});
