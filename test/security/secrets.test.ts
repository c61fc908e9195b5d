import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { withoutSecrets } from '../../gateway/http/redaction.ts';
import { setUp } from '../support/processes/set-up.ts';
import { sharedPostgres } from '../support/servers/postgres.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

const secret = 'secretisimo';
const doctor = fileURLToPath(new URL('../../scripts/doctor.ts', import.meta.url));

/** Returns the URL with another user and a wrong password. */
function withSecret(url: string): string {
  const other = new URL(url);
  other.username = 'yo';
  other.password = secret;
  return other.href;
}

describe('Secrets', () => {
  it('appear in no message about a wrong configuration, of the gateway or the doctor', async () => {
    const gateway = (env: Record<string, string>): Promise<string> =>
      setUp({ running: ['gateway'], env }).then(
        async (archivero) => {
          await archivero[Symbol.asyncDispose]();
          return 'it started';
        },
        (err: Error) => err.message,
      );
    const diagnose = (env: Record<string, string>): string => {
      const { stdout, stderr } = spawnSync(process.execPath, [doctor], {
        env: { PATH: process.env['PATH'], ENV_FILE: '', ...env },
        encoding: 'utf8',
      });
      return stdout + stderr;
    };
    for (const env of [
      {
        RABBITMQ_URL: `amqp://yo:${secret}@[::1`,
        RABBITMQ_MANAGEMENT_URL: `htp://yo:${secret}@127.0.0.1`,
        LEDGER_URL: `postgrs://yo:${secret}@127.0.0.1/x`,
        OTEL_EXPORTER_OTLP_ENDPOINT: `htp://yo:${secret}@127.0.0.1`,
        AUTH: 'jwt',
        JWT_SECRET: secret,
      },
      { RABBITMQ_URL: `htp://yo:${secret}@h`, AUTH: 'jwt', JWT_JWKS_URL: `htp://yo:${secret}@h` },
    ] as readonly Record<string, string>[]) {
      for (const output of [await gateway(env), diagnose(env)]) {
        for (const name of Object.keys(env).filter((each) => each !== 'AUTH'))
          expect(output).to.include(name);
        expect(output).not.to.include(secret);
      }
    }
    const away = {
      LEDGER_URL: `postgres://yo:${secret}@127.0.0.1:1/x`,
      RABBITMQ_URL: `amqp://yo:${secret}@127.0.0.1:1`,
    };
    expect(diagnose(away)).to.include('LEDGER_URL').and.include('RabbitMQ').and.not.include(secret);
  });

  it('appear in no log line and no answer when RabbitMQ refuses the login', async () => {
    const rabbit = await sharedRabbit();
    await using archivero = await setUp({
      running: ['mserv1', 'gateway'],
      env: {
        RABBITMQ_URL: withSecret(rabbit.url),
        RABBITMQ_MANAGEMENT_URL: withSecret(rabbit.managementUrl),
        LOG_LEVEL: 'trace',
      },
    });
    for (const proc of archivero.processes.values())
      await proc.waitFor(({ reason }) => /ACCESS_REFUSED|403/.test(String(reason)));
    for (const path of ['/salud', '/colas', '/colas/x', '/metrics', '/listar_archivos', '/buscar_archivos']) {
      expect(await (await archivero.get(path)).text(), path).not.to.include(secret);
    }
    const output = [...archivero.processes.values()].flatMap(({ lines }) =>
      lines.map((line) => JSON.stringify(line)),
    );
    expect(output.length).to.be.above(10);
    expect(output.filter((line) => line.includes(secret))).to.deep.equal([]);
  });

  it('appear in no log line of a gateway with ledger and limits in PostgreSQL', async () => {
    const postgres = await sharedPostgres();
    const url = new URL(await postgres.database());
    const { password } = url;
    url.password = password === '' ? secret : password;
    const env = {
      RABBITMQ_URL: '',
      LEDGER_URL: url.href,
      RATE_LIMITS: '9/1s',
      RATE_LIMIT_STORE: 'postgres',
      LOG_LEVEL: 'trace',
    };
    await using archivero = await setUp({ running: ['gateway'], env });
    expect((await archivero.get('/listar_archivos')).status).to.equal(202);
    const output = archivero.processes.get('gateway')?.lines.map((line) => JSON.stringify(line)) ?? [];
    expect(output.filter((line) => line.includes(`:${url.password}@`))).to.deep.equal([]);
  });

  it('are hidden when the target of a request is logged', () => {
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl';
    for (const [target, logged] of [
      [`/listar_archivos?access_token=${token}&ruta=a`, '/listar_archivos?access_token=…&ruta=a'],
      [`/listar_archivos?ruta=a&id_token=x`, '/listar_archivos?ruta=a&id_token=…'],
      [`/listar_archivos?authorization=Bearer%20${token}`, '/listar_archivos?authorization=Bearer%20…'],
      [`/listar_archivos?q=%22${token}%22`, '/listar_archivos?q=%22…'],
      [`/solicitudes/${token}`, '/solicitudes/…'],
      ['/login?usuario=ana&clave=correcta', '/login?usuario=ana&clave=…'],
      ['/login?Password=correcta&api-key=b', '/login?Password=…&api-key=…'],
      [
        '/listar_archivos?cursor=abc&ruta=2026/eyJ.txt&formato=json',
        '/listar_archivos?cursor=abc&ruta=2026/eyJ.txt&formato=json',
      ],
    ] as const) {
      expect(withoutSecrets(target)).to.equal(logged);
    }
    // Redaction takes linear time; a slower one would not end before the timeout.
    for (const text of ['secret', 'token&', '?', '?a=', 'eyJ']) {
      expect(withoutSecrets(`/?${text.repeat(1_000_000)}`)).to.have.length.above(2);
    }
  });
});
