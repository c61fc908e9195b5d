import { expect } from 'chai';
import pg from 'pg';
import { pino } from 'pino';
import { type Ledger, LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { connectionConfig, createDatabase } from '../../gateway/solicitudes/postgres/database.ts';
import { openPostgresLedger } from '../../gateway/solicitudes/postgres/postgres-ledger.ts';
import { acceptance, answerOf } from '../support/ledger/ledger-calls.ts';
import { eventually } from '../support/processes/eventually.ts';
import { type Postgres, startPostgres } from '../support/servers/postgres.ts';
import { startTcpProxy } from '../support/servers/tcp-proxy.ts';

const log = pino({ level: 'silent' });
const works = (ledger: Ledger) => () =>
  ledger.probe().then(
    () => true,
    () => false,
  );
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('The PostgreSQL ledger when its server fails', () => {
  let postgres: Postgres;
  let url: string;
  let ledger: Ledger;
  const open = () => openPostgresLedger({ url, log, maxRows: 1_000_000, maxBytes: 1_000_000_000 });

  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());
  beforeEach(async () => {
    url = await postgres.database();
    ledger = await open();
  });
  afterEach(() => ledger.stop());

  it('holds all rows that it reported as committed when the server is killed, and reconnects', async () => {
    const kept: string[] = [];
    const errors: unknown[] = [];
    let next = 0;
    const over = new AbortController();
    const client = async () => {
      while (!over.signal.aborted) {
        const id = `id-${next++}`;
        try {
          await ledger.accept(acceptance({ id }));
          kept.push(id);
          if (next % 3 === 0) {
            await ledger.close(id, { state: 'completada', answer: answerOf(id), at: 2000 });
          }
        } catch (error) {
          errors.push(error);
          await works(ledger)();
        }
      }
    };
    const clients = Array.from({ length: 16 }, client);
    for (let round = 0; round < 3; round++) {
      const sofar = kept.length;
      await eventually(() => kept.length > sofar + 200);
      await postgres.kill();
      await eventually(() => errors.length > round);
      await postgres.restart();
    }
    await eventually(works(ledger));
    over.abort();
    await Promise.all(clients);

    for (const error of errors) expect(error).to.be.instanceOf(LedgerUnavailableError);
    const rows = await Promise.all(kept.map((id) => ledger.get(id)));
    expect(rows.filter((row) => row === undefined)).to.deep.equal([]);
    for (const row of rows) {
      if (row?.state === 'completada')
        expect((await ledger.answer(row.id))?.body.toString()).to.equal(row.id);
    }
    const counted = await postgres.query(
      url,
      `SELECT count(*) = (SELECT rows FROM archivero.totals) AS rows,
         count(*) FILTER (WHERE closed_at IS NULL) = (SELECT open FROM archivero.totals) AS open
       FROM archivero.requests`,
    );
    expect(counted).to.deep.equal([{ rows: true, open: true }]);
  });

  it('rejects calls in time while the server is frozen, and works again when it continues', async () => {
    await ledger.accept(acceptance({ id: 'a' }));
    await postgres.pause();
    const calls = [
      ledger.accept(acceptance({ id: 'b' })),
      ledger.get('a'),
      ledger.claim('mserv1', 1000, 5000, 10),
      ledger.probe(),
      ...Array.from({ length: 20 }, () => ledger.answer('a')),
    ];
    for (const error of await Promise.all(calls.map(rejection))) {
      expect(error).to.be.instanceOf(LedgerUnavailableError);
    }
    postgres.resume();
    await eventually(works(ledger));
    expect(await ledger.get('a')).to.include({ id: 'a', state: 'aceptada' });
  });

  it('listens again after its connection is cut, and reports that it may have missed changes', async () => {
    const other = await open();
    let missed = 0;
    const notified: string[] = [];
    ledger.subscribe({
      changed: (changes) => notified.push(...changes.map(({ id }) => id)),
      missed: () => (missed += 1),
    });
    const hears = async (id: string) => {
      await other.accept(acceptance({ id }));
      await eventually(async () => {
        if (notified.includes(id)) return true;
        await other.published(id, 1000, 5000);
        return false;
      });
    };
    await hears('a');
    missed = 0;
    await postgres.query(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await eventually(() => missed > 0);
    await eventually(works(other));
    await hears('b');
    await other.stop();
  });

  it('keeps no slot of its pool for a connection that goes silent after it is opened', async () => {
    const { port, pathname, username } = new URL(url);
    const proxy = await startTcpProxy(Number(port));
    const through = `postgres://${username}@127.0.0.1:${proxy.port}${pathname}`;
    const database = createDatabase(through);
    try {
      const greeted = new pg.Client(connectionConfig(through));
      await greeted.connect();
      proxy.fault = { bytes: proxy.carried, kind: 'freeze' };
      await greeted.end();
      // More queries than the pool has slots.
      const queries = Array.from({ length: 10 }, () => rejection(database.query('SELECT 1')));
      for (const error of await Promise.all(queries)) expect(error).to.be.instanceOf(LedgerUnavailableError);
      expect(proxy.connections).to.be.greaterThan(8);
      proxy.fault = undefined;
      expect(await database.query('SELECT 1 AS one')).to.deep.equal([{ one: 1 }]);
    } finally {
      await proxy.stop();
      await database.end();
    }
  });

  it('stops while its server is dead or frozen', async () => {
    await ledger.accept(acceptance({ id: 'a' }));
    const frozen = await open();
    await frozen.probe();
    await postgres.pause();
    await frozen.stop();
    postgres.resume();
    await postgres.kill();
    await ledger.stop();
    expect(await rejection(ledger.get('a'))).to.be.instanceOf(LedgerUnavailableError);
    await postgres.restart();
  });

  it('opens when its server starts after the call', async () => {
    await postgres.kill();
    const opening = open();
    await postgres.restart();
    const opened = await opening;
    await opened.probe();
    await opened.stop();
  });
});
