import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  boolean,
  brokerUrl,
  ConfigError,
  type Env,
  host,
  isLoopback,
  loadEnvFile,
  milliseconds,
  parseEnv,
  path,
  port,
  readTogether,
} from '../../../runtime/env.ts';
import { logVariables } from '../../../runtime/log.ts';
import { readMicroserviceConfig } from '../../../runtime/microservice/microservice-config.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';

function problemsOf(read: () => unknown): Record<string, string> {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
  throw new Error('It was accepted');
}

describe('the environment', () => {
  it('is refused with every problem once when several configurations read it together', () => {
    const env = { MSERV1_GRPC: 'off', RABBITMQ_URL: '', MSERV1_PORT: 'x', LOG_LEVEL: 'loud' };
    const one = () => readMicroserviceConfig('mserv1', 1, env);
    expect(Object.keys(problemsOf(one))).to.have.members(['MSERV1_PORT', 'LOG_LEVEL', 'MSERV1_GRPC']);
    const other = () => readMicroserviceConfig('mserv2', 1, { ...env, MSERV2_HOST: '0.0.0.0' });
    expect(() => readTogether(one, other))
      .to.throw(ConfigError)
      .with.property('problems')
      .that.satisfies((problems: readonly { variable: string }[]) => {
        const names = problems.map(({ variable }) => variable);
        expect(names).to.have.members(['MSERV1_PORT', 'LOG_LEVEL', 'MSERV1_GRPC', 'MSERV2_HOST']);
        return true;
      });
    // A malformed URL is not reported as an empty one too.
    const wrong = { MSERV1_GRPC: 'off', RABBITMQ_URL: 'http://x' };
    expect(Object.keys(problemsOf(() => readMicroserviceConfig('mserv1', 1, wrong)))).to.deep.equal([
      'RABBITMQ_URL',
    ]);
  });

  it('is refused with all problems at once, each with the expected value', () => {
    const shape = { PORT: port, ON: boolean, HOST: host, WAIT: milliseconds, ...logVariables };
    const env = { PORT: '70000', ON: 'maybe', HOST: 'a b', LOG_LEVEL: 'loud', LOG_FORMAT: 'xml' };
    expect(problemsOf(() => parseEnv(shape, env))).to.deep.equal({
      PORT: 'expected a port (0 to 65535), got "70000"',
      ON: 'expected on, off, true or false, got "maybe"',
      HOST: 'expected a host name or an IP address, without a port, got "a b"',
      WAIT: 'missing; expected milliseconds, or a duration such as 500ms, 90s, 15m, 24h or 7d (at most 24d)',
      LOG_LEVEL: 'expected one of fatal, error, warn, info, debug, trace, silent, got "loud"',
      LOG_FORMAT: 'expected one of pretty, json, got "xml"',
    });
  });

  it('gives a frozen object of values, with defaults for absent and empty variables', () => {
    const shape = { PORT: port.default(5000), ON: boolean.default(true), HOST: host };
    const values = parseEnv(shape, { PORT: '', ON: ' Off ', HOST: '::1' });
    expect(values).to.deep.equal({ PORT: 5000, ON: false, HOST: '::1' });
    expect(values).to.be.frozen;
  });

  for (const text of ['-1', '65536', '1e3', '0x10', '5000.0', '５０００', '99999999999999999999']) {
    it(`is refused when a port is ${text}`, () => {
      expect(problemsOf(() => parseEnv({ PORT: port }, { PORT: text }))).to.have.key('PORT');
    });
  }

  it('takes a duration in milliseconds, or with its unit', () => {
    const read = (text: string) => parseEnv({ WAIT: milliseconds }, { WAIT: text }).WAIT;
    expect(['1500', '500ms', '90s', '15m', '24h', '7d', '24d', '2147483647'].map(read)).to.deep.equal([
      1500, 500, 90_000, 900_000, 86_400_000, 604_800_000, 2_073_600_000, 2_147_483_647,
    ]);
    for (const text of [
      '0',
      '0s',
      '-1s',
      '1.5h',
      '24 h',
      '1h30m',
      '1w',
      's',
      '25d',
      '2147483648',
      '1e3',
      '24H',
    ]) {
      expect(
        problemsOf(() => read(text)),
        text,
      ).to.have.key('WAIT');
    }
  });

  for (const text of ['127.0.0.1:80', '[::1]', 'http://x', '-x', 'a/b', 'x\u0000']) {
    it(`is refused when a host is ${JSON.stringify(text)}`, () => {
      expect(problemsOf(() => parseEnv({ HOST: host }, { HOST: text }))).to.have.key('HOST');
    });
  }

  for (const text of ['file:///srv/x', 'file:x', 'https://h/x', 's3://bucket/x', '~', '~/x', '~ana/x']) {
    it(`is refused when a path is ${text}, which would be a folder below the working directory`, () => {
      expect(problemsOf(() => parseEnv({ FILE: path }, { FILE: text }))).to.have.key('FILE');
    });
  }

  it('may have any other path', () => {
    for (const text of ['x', './x', '../x', '/srv/mis archivos/x', 'C:\\x', 'a~', 'a:b', '//server/share']) {
      expect(parseEnv({ FILE: path }, { FILE: text }).FILE).to.equal(text);
    }
  });

  it('may use former names of a variable, but its present name wins', () => {
    const read = (env: Env) => parseEnv({ PORT: port }, env, { aliases: { PORT: ['OLD', 'OLDER'] } });
    expect(read({ OLDER: '3', OLD: '2', PORT: '1' }).PORT).to.equal(1);
    expect(read({ OLDER: '3', OLD: '2', PORT: '' }).PORT).to.equal(2);
    expect(read({ OLDER: '3' }).PORT).to.equal(3);
    expect(problemsOf(() => read({ OLD: 'x' }))).to.have.key('OLD (an alias of PORT)');
  });

  it('turns the broker off when its URL is empty, and hides the password of a refused URL', () => {
    const read = (env: Env) => parseEnv({ RABBITMQ_URL: brokerUrl }, env, { keepEmpty: ['RABBITMQ_URL'] });
    expect(read({ RABBITMQ_URL: '' }).RABBITMQ_URL).to.equal(undefined);
    expect(read({}).RABBITMQ_URL).to.equal('amqp://guest:guest@127.0.0.1:5672?heartbeat=5');
    const problems = problemsOf(() => read({ RABBITMQ_URL: 'http://user:secret@host' }));
    expect(problems['RABBITMQ_URL'])
      .to.match(/^expected amqp:/)
      .and.not.include('secret');
  });

  it('refuses a broker URL whose password is percent-encoded in another encoding than UTF-8', () => {
    const read = (RABBITMQ_URL: string) => parseEnv({ RABBITMQ_URL: brokerUrl }, { RABBITMQ_URL });
    expect(read('amqp://u:100%ñ%C3%B1@h/a%2Fb').RABBITMQ_URL).to.include('100%');
    expect(problemsOf(() => read('amqp://u:%F1@h'))['RABBITMQ_URL']).to.include('percent-encoded UTF-8');
  });

  it('refuses a broker URL with a raw #, ? or / in its password, or a heartbeat that is no number', () => {
    const read = (RABBITMQ_URL: string) => () => parseEnv({ RABBITMQ_URL: brokerUrl }, { RABBITMQ_URL });
    for (const password of ['12#3', '12?3', '12/3'])
      expect(problemsOf(read(`amqp://user:${password}@h:5672`)), password).to.have.key('RABBITMQ_URL');
    for (const query of ['heartbeat=5s', 'heartbeat=', 'frameMax=x', 'channelMax=-1'])
      expect(problemsOf(read(`amqp://h?${query}`)), query).to.have.key('RABBITMQ_URL');
    for (const url of ['amqp://h/a%40b', 'amqp://u:p@h/a@b', 'amqps://h/?heartbeat=0&certfile=/a@b'])
      expect(read(url)().RABBITMQ_URL).to.equal(url);
  });

  it('counts as loopback only addresses that other machines cannot reach', () => {
    expect(['127.0.0.1', '127.8.9.10', '::1', 'localhost'].filter(isLoopback)).to.have.length(4);
    const reachable = ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'localhost.example.org'];
    expect(reachable.filter(isLoopback)).to.deep.equal([]);
  });
});

describe('an .env file', () => {
  it('yields to variables that are set in the environment', () => {
    using folder = new TemporaryFolder();
    const file = folder.join('x.env');
    writeFileSync(file, 'A=file\nB="from the file" # why\n');
    expect(loadEnvFile({ A: 'set', ENV_FILE: file })).to.include({ A: 'set', B: 'from the file' });
  });

  it('is not read when ENV_FILE is empty, and must exist when ENV_FILE names it', () => {
    expect(loadEnvFile({ A: '1', ENV_FILE: '' })).to.deep.equal({ A: '1', ENV_FILE: '' });
    expect(problemsOf(() => loadEnvFile({ ENV_FILE: '/nowhere/x.env' }))).to.have.key('ENV_FILE');
  });
});

describe('the configuration of a microservice', () => {
  const read = (env: Env) => readMicroserviceConfig('mserv1', 5001, env);

  it('has a default for every variable', () => {
    const { grpc, rabbitmqUrl } = read({});
    expect(grpc).to.include({ host: '127.0.0.1', port: 5001, portVariable: 'MSERV1_PORT' });
    expect(rabbitmqUrl).to.match(/^amqp:/);
  });

  it('reads the variable names of the original system', () => {
    expect(read({ MICSERVER1_PORT: '50051' }).grpc?.port).to.equal(50051);
  });

  it('may turn off the gRPC listener or the queue consumer, but not both', () => {
    expect(read({ MSERV1_GRPC: 'off' }).grpc).to.equal(undefined);
    expect(read({ RABBITMQ_URL: '' }).rabbitmqUrl).to.equal(undefined);
    expect(problemsOf(() => read({ MSERV1_GRPC: 'off', RABBITMQ_URL: '' }))).to.have.key('MSERV1_GRPC');
  });

  it('refuses an address that other machines can reach without TLS, unless ALLOW_PLAINTEXT is on', () => {
    expect(problemsOf(() => read({ MSERV1_HOST: '0.0.0.0' }))).to.have.key('MSERV1_HOST');
    expect(read({ MSERV1_HOST: '0.0.0.0', ALLOW_PLAINTEXT: 'true' }).grpc?.host).to.equal('0.0.0.0');
    expect(read({ MSERV1_HOST: '0.0.0.0', MSERV1_GRPC: 'off' }).grpc).to.equal(undefined);
  });
});
