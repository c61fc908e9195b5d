import { expect } from 'chai';
import { readGatewayConfig } from '../../gateway/config.ts';
import { ConfigError } from '../../runtime/env.ts';

const ledgerOf = (text?: string) =>
  readGatewayConfig(text === undefined ? {} : { LEDGER_URL: text }, []).LEDGER_URL;

describe('LEDGER_URL', () => {
  it('means a SQLite file in data/ when unset, else the file that it names', () => {
    expect(ledgerOf()).to.deep.equal({ kind: 'sqlite', path: 'data/solicitudes.db' });
    expect(ledgerOf('sqlite:/var/lib/a b.db')).to.deep.equal({ kind: 'sqlite', path: '/var/lib/a b.db' });
  });

  it('means a PostgreSQL database when its scheme is postgres or postgresql', () => {
    for (const url of [
      'postgres://u:p@db.example:5432/archivero?sslmode=verify-full',
      'postgresql://127.0.0.1/x',
    ])
      expect(ledgerOf(url)).to.deep.equal({ kind: 'postgres', url });
  });

  it('is refused with another scheme, without its password in the error', () => {
    for (const text of ['sqlite:', 'data.db', 'mysql://u:secreto@h/x', 'postgres://u:secreto@[/x']) {
      expect(() => ledgerOf(text))
        .to.throw(ConfigError, 'LEDGER_URL: expected sqlite:PATH or postgres://')
        .with.property('message')
        .that.does.not.include('secreto');
    }
  });
});

describe('the limits of a gateway', () => {
  it('bound requests, connections, waiters and event streams by default', () => {
    const { MAX_REQUESTS, MAX_CONNECTIONS, MAX_WAITERS, MAX_EVENT_STREAMS } = readGatewayConfig({}, []);
    for (const bound of [MAX_REQUESTS, MAX_CONNECTIONS, MAX_WAITERS, MAX_EVENT_STREAMS])
      expect(bound).to.be.within(1_000, 16_000);
  });
});
