import { expect } from 'chai';
import { readGatewayConfig } from '../../gateway/config.ts';
import { readConfig as readMserv1Config } from '../../mserv1/config.ts';
import { readConfig as readMserv2Config } from '../../mserv2/config.ts';
import { ConfigError, type Env } from '../../runtime/env.ts';

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

  it('is refused when a URL or another spelling of other programs follows sqlite:, with the right one', () => {
    for (const path of [
      '//data/x.db',
      '///data/x.db',
      '//u:secreto@h/x.db',
      'file:data/x.db',
      ':memory:',
      'data/x.db?mode=ro',
      '~/x.db',
    ]) {
      expect(() => ledgerOf(`sqlite:${path}`), path)
        .to.throw(ConfigError, 'sqlite:data/x.db in the working directory, or sqlite:/data/x.db')
        .with.property('message')
        .that.does.not.include('secreto');
    }
  });

  it('is refused with another scheme, without its password in the error', () => {
    for (const text of [
      'sqlite:',
      'data.db',
      'mysql://u:secreto@h/x',
      'postgres://u:secreto@[/x',
      'postgres://u:12#secreto@h/x',
      'postgres://secreto:%F1@h/x',
    ]) {
      expect(() => ledgerOf(text))
        .to.throw(ConfigError, 'LEDGER_URL: expected sqlite:PATH or postgres://')
        .with.property('message')
        .that.does.not.include('secreto');
    }
  });
});

describe('a variable of a path', () => {
  const gateway = (env: Env) => readGatewayConfig(env, []);
  const cases: Readonly<Record<string, (env: Env) => unknown>> = {
    AUTH_USERS_FILE: gateway,
    AUTH_KEY_FILE: gateway,
    GATEWAY_TLS_CERT: gateway,
    GATEWAY_TLS_KEY: gateway,
    GRPC_TLS_CA: gateway,
    GRPC_TLS_CERT: gateway,
    GRPC_TLS_KEY: gateway,
    MSERV1_TLS_CERT: readMserv1Config,
    MSERV1_TLS_KEY: readMserv1Config,
    MSERV1_TLS_CLIENT_CA: readMserv1Config,
    MSERV1_ROOT: readMserv1Config,
    MSERV2_ROOT: readMserv2Config,
    MSERV2_SNAPSHOT: readMserv2Config,
  };
  for (const [variable, read] of Object.entries(cases)) {
    it(`is refused when it is a URL: ${variable}`, () => {
      expect(() => read({ [variable]: 'file:///srv/x' })).to.throw(
        ConfigError,
        `${variable}: expected a path`,
      );
    });
  }
});

describe('the limits of a gateway', () => {
  it('bound requests, connections, waiters and event streams by default', () => {
    const { MAX_REQUESTS, MAX_CONNECTIONS, MAX_WAITERS, MAX_EVENT_STREAMS } = readGatewayConfig({}, []);
    for (const bound of [MAX_REQUESTS, MAX_CONNECTIONS, MAX_WAITERS, MAX_EVENT_STREAMS])
      expect(bound).to.be.within(1_000, 16_000);
  });
});

describe('the retirement of /v1', () => {
  const read = (V1_DEPRECATION: string, V1_SUNSET: string) =>
    readGatewayConfig({ V1_DEPRECATION, V1_SUNSET }, []);

  it('is refused when the sunset is before the deprecation', () => {
    expect(() => read('2027-06-01', '2027-05-31')).to.throw(
      ConfigError,
      'V1_SUNSET: is before V1_DEPRECATION',
    );
    expect(() => read('2027-06-01T00:00:00Z', '2027-06-01T01:00:00+02:00')).to.throw(ConfigError);
  });

  it('is accepted with the sunset at or after the deprecation, or with one of both', () => {
    for (const [deprecation, sunset] of [
      ['2027-06-01', '2027-06-01'],
      ['2027-06-01', '2028-01-01'],
    ] as const) {
      expect(read(deprecation, sunset).V1_SUNSET).to.deep.equal(new Date(sunset));
    }
    expect(readGatewayConfig({ V1_SUNSET: '2020-01-01' }, []).V1_DEPRECATION).to.equal(undefined);
  });
});
