import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { connect } from 'amqplib';
import { expect } from 'chai';
import { applicationId } from '../../gateway/solicitudes/sqlite/migrations.ts';
import { queueArguments, queuesOf } from '../../runtime/amqp/topology.ts';
import { freePorts } from '../../scripts/free-ports.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { eventually } from '../support/processes/eventually.ts';
import { spawnProcess } from '../support/processes/processes.ts';
import { ownVhost, setUp, stablePort } from '../support/processes/set-up.ts';
import { sharedPostgres } from '../support/servers/postgres.ts';
import { sharedRabbit, startRabbit } from '../support/servers/rabbitmq.ts';

/** Runs `npm run doctor`; returns its exit code and its text without colours. */
async function doctor(env: Record<string, string>): Promise<{ code: number | null; text: string }> {
  const proc = spawnProcess('scripts/doctor.ts', { NO_COLOR: '1', ...env });
  const { code } = await proc.exited;
  return { code, text: proc.lines.map(({ msg }) => msg).join('\n') };
}

describe('npm run doctor', () => {
  const folders: TemporaryFolder[] = [];
  const newFolder = (): TemporaryFolder => {
    const folder = new TemporaryFolder();
    folders.push(folder);
    return folder;
  };
  afterEach(() => {
    for (const folder of folders.splice(0)) folder[Symbol.dispose]();
  });
  const newLedger = (): string => `sqlite:${newFolder().join('solicitudes.db')}`;

  it('finds nothing wrong with a running set-up, and names the processes that answer', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    const ledger = newLedger();
    const root = newFolder().path;
    const env = { RABBITMQ_URL: url, LEDGER_URL: ledger, FILES_ROOT: root };
    await using it = await setUp({ env });
    const ports = Object.fromEntries(
      [...it.processes].map(([name, { port }]) => [`${name.toUpperCase()}_PORT`, String(port)]),
    );
    const urls = {
      MSERV1_URL: `127.0.0.1:${ports['MSERV1_PORT']}`,
      MSERV2_URL: `127.0.0.1:${ports['MSERV2_PORT']}`,
    };
    await eventually(async () => {
      const { servicios } = (await (await it.get('/salud')).json()) as {
        servicios: Record<string, { consumidores: number | null }>;
      };
      return Object.values(servicios).every(({ consumidores }) => consumidores === 1);
    });
    const { code, text } = await doctor({ ...env, ...ports, ...urls });
    expect(code, text).to.equal(0);
    for (const each of [
      '✔ The configuration can be read',
      `✔ mserv1 answers at port ${ports['MSERV1_PORT']} of 127.0.0.1`,
      `✔ gateway answers at port ${ports['GATEWAY_PORT']} of 127.0.0.1`,
      `✔ mserv2: healthy at 127.0.0.1:${ports['MSERV2_PORT']}`,
      '✔ RabbitMQ 3.',
      '✔ RabbitMQ accepts messages',
      `✔ ${queuesOf('mserv1').work}: 0 messages ready, 1 consumers`,
      '✔ The ledger keeps 0 of 1000000 requests',
      'Nothing is wrong.',
    ]) {
      expect(text).to.include(each);
    }
  });

  it('checks a set-up with TLS everywhere, and reports certificates that do not match', async () => {
    const certs = newFolder();
    const file = (name: string): string => certs.join(name);
    expect(spawnSync(process.execPath, ['scripts/certs.ts', '--dir', certs.path]).status).to.equal(0);
    const [brokerPort = 0] = await freePorts(1);
    const rabbit = await startRabbit({
      config: [
        `listeners.ssl.1 = 127.0.0.1:${brokerPort}`,
        `ssl_options.cacertfile = ${file('ca.pem')}`,
        `ssl_options.certfile = ${file('rabbitmq.pem')}`,
        `ssl_options.keyfile = ${file('rabbitmq-key.pem')}`,
        'ssl_options.verify = verify_peer',
        'ssl_options.fail_if_no_peer_cert = true',
      ],
    });
    try {
      const pair = (of: string, variable: string, name: string): Record<string, string> => ({
        [`${variable}_CERT`]: file(`${name}.pem`),
        [`${variable}_KEY`]: file(`${name}-key.pem`),
        ...(of === 'service' && { [`${variable}_CLIENT_CA`]: file('ca.pem') }),
      });
      const query = new URLSearchParams({
        cacertfile: file('ca.pem'),
        certfile: file('gateway.pem'),
        keyfile: file('gateway-key.pem'),
      });
      const env = {
        RABBITMQ_URL: `amqps://guest:guest@127.0.0.1:${brokerPort}?${query}`,
        LEDGER_URL: newLedger(),
        FILES_ROOT: newFolder().path,
        GRPC_TLS_CA: file('ca.pem'),
        ...pair('gateway', 'GATEWAY_TLS', 'gateway'),
        ...pair('gateway', 'GRPC_TLS', 'gateway'),
        ...pair('service', 'MSERV1_TLS', 'mserv1'),
        ...pair('service', 'MSERV2_TLS', 'mserv2'),
      };
      await using it = await setUp({ env });
      const ports = Object.fromEntries(
        [...it.processes].map(([name, { port }]) => [`${name.toUpperCase()}_PORT`, String(port)]),
      );
      const running = {
        ...env,
        ...ports,
        MSERV1_URL: `127.0.0.1:${ports['MSERV1_PORT']}`,
        MSERV2_URL: `127.0.0.1:${ports['MSERV2_PORT']}`,
      };
      const { code, text } = await doctor(running);
      expect(code, text).to.equal(0);
      for (const each of [
        `✔ mserv1 answers at port ${ports['MSERV1_PORT']} of 127.0.0.1`,
        `✔ gateway answers at port ${ports['GATEWAY_PORT']} of 127.0.0.1`,
        '✔ gateway: its certificate is valid until 20',
        `✔ mserv2: healthy at 127.0.0.1:${ports['MSERV2_PORT']}`,
        '✔ RabbitMQ accepts messages',
      ]) {
        expect(text).to.include(each);
      }
      const mixedUp = await doctor({
        ...running,
        MSERV1_TLS_KEY: file('mserv2-key.pem'),
        GRPC_TLS_CA: '/no.pem',
        RABBITMQ_URL: `amqps://guest:guest@127.0.0.1:${brokerPort}`,
      });
      expect(mixedUp.code).to.equal(1);
      expect(mixedUp.text)
        .to.match(/✘ mserv1: MSERV1_TLS_CERT: .*mismatch/)
        .and.include('✘ gateway, to the services: GRPC_TLS_CA: /no.pem cannot be read (ENOENT)')
        .and.include(`✘ The certificate of RabbitMQ at 127.0.0.1:${brokerPort} is not trusted: self-signed`)
        .and.include('→ Name its authority with cacertfile');
    } finally {
      await rabbit.stop();
    }
  });

  it('notes services that do not run yet, and exits with code 0', async () => {
    const { code, text } = await doctor({
      LEDGER_URL: newLedger(),
      MSERV1_URL: `127.0.0.1:${await stablePort()}`,
    });
    expect(code, text).to.equal(0);
    expect(text).to.include('• mserv1: does not answer by gRPC').and.include('→ npm run mserv1');
    expect(text).to.include('• RabbitMQ: RABBITMQ_URL is empty');
    expect(text).to.include('will be created at the first start');
  });

  it('reports every wrong variable in one run', async () => {
    const { code, text } = await doctor({
      MSERV1_PORT: 'x',
      LOG_LEVEL: 'loud',
      MSERV2_ROOT: '/nowhere/at/all',
    });
    expect(code).to.equal(1);
    expect(text).to.include('✘ MSERV1_PORT: expected a port').and.include('✘ LOG_LEVEL: expected one of');
    expect(text.split('LOG_LEVEL:')).to.have.length(2);
  });

  it('reports a missing folder, and the process that holds a port', async () => {
    const holder = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const port = String((holder.address() as AddressInfo).port);
    const env = { LEDGER_URL: newLedger(), GATEWAY_PORT: port, MSERV1_ROOT: '/nowhere/at/all' };
    const { code, text } = await doctor(env);
    holder.close();
    expect(code).to.equal(1);
    expect(text)
      .to.include('✘ mserv1: its folder /nowhere/at/all cannot be read: ENOENT')
      .and.include('set MSERV1_ROOT or FILES_ROOT');
    expect(text).to.match(
      new RegExp(
        `✘ gateway: port ${port} of 127.0.0.1 is in use by .*node.* .*mocha.* \\(pid ${process.pid}\\), which`,
      ),
    );
    expect(text).to.include('set GATEWAY_PORT to another port');
  });

  it('reports ledgers that cannot be used', async () => {
    const folder = newFolder();
    const createDatabase = (name: string, sql: string): string => {
      const db = new DatabaseSync(folder.join(name));
      db.exec(sql);
      db.close();
      return `sqlite:${folder.join(name)}`;
    };
    const foreign = await doctor({ LEDGER_URL: createDatabase('a.db', 'CREATE TABLE recipes (name TEXT)') });
    expect(foreign.text).to.include('but not a ledger of Archivero');
    const newer = `PRAGMA application_id = ${applicationId}; CREATE TABLE x (y); PRAGMA user_version = 99`;
    expect((await doctor({ LEDGER_URL: createDatabase('b.db', newer) })).text).to.include(
      'schema version 99, made by a newer',
    );
    mkdirSync(folder.join('c.db'));
    const directory = await doctor({ LEDGER_URL: `sqlite:${folder.join('c.db')}` });
    expect([foreign.code, directory.code]).to.deep.equal([1, 1]);
    linkSync(folder.join('a.db'), folder.join('second.db'));
    const twice = await doctor({ LEDGER_URL: `sqlite:${folder.join('second.db')}` });
    expect(twice.text).to.include('the file has 2 names (hard links)');
    const unreachable = await doctor({
      LEDGER_URL: `postgres://u:secreto@127.0.0.1:${await stablePort()}/x`,
    });
    expect(unreachable.code).to.equal(1);
    expect(unreachable.text).to.include('✘ PostgreSQL at 127.0.0.1:').and.include('ECONNREFUSED');
    expect(unreachable.text).not.to.include('secreto');
  });

  it('reports the version, clock and schema of PostgreSQL', async () => {
    const url = await (await sharedPostgres()).database();
    const { code, text } = await doctor({ LEDGER_URL: url });
    expect(code, text).to.equal(0);
    expect(text).to.include('✔ PostgreSQL 1').and.include("✔ Its clock and this machine's differ by");
    expect(text).to.include('• The schema archivero does not exist yet');
  });

  it('reports a database whose encoding cannot hold every name', async () => {
    const url = await (await sharedPostgres()).database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const { code, text } = await doctor({ LEDGER_URL: url });
    expect(code, text).to.equal(1);
    expect(text).to.include('✘ Its encoding is LATIN1').and.include('CREATE DATABASE');
  });

  it('reports queues with other arguments, queues without consumers, and refused logins', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    const model = await connect(url);
    const channel = await model.createConfirmChannel();
    await channel.assertQueue(queuesOf('mserv1').work, { durable: true });
    for (const [queue, wanted] of queueArguments('mserv2')) {
      await channel.assertQueue(queue, { durable: true, arguments: wanted });
    }
    channel.sendToQueue(queuesOf('mserv2').work, Buffer.from('{}'));
    channel.sendToQueue(queuesOf('mserv2').isolation, Buffer.from('{}'));
    await channel.waitForConfirms();
    const env = { LEDGER_URL: newLedger() };
    const { code, text } = await doctor({ ...env, RABBITMQ_URL: url });
    // The doctor has consumed no message.
    expect(await channel.checkQueue(queuesOf('mserv2').work)).to.include({ messageCount: 1 });
    await model.close();
    expect(code).to.equal(1);
    expect(text).to.include(`✘ ${queuesOf('mserv1').work} has other arguments than Archivero needs`);
    const { work, isolation, quarantine } = queuesOf('mserv2');
    for (const queue of [work, isolation])
      expect(text).to.include(`✘ ${queue}: 1 messages ready, 0 consumers: nothing consumes them`);
    expect(text).to.include(`✔ ${quarantine}: 0 messages ready`);
    expect(text).to.include(`• ${queuesOf('mserv1').isolation} does not exist yet`);

    const wrongPassword = url.replace('guest:guest', 'guest:secreto');
    const refused = await doctor({ ...env, RABBITMQ_URL: wrongPassword });
    expect(refused.text).to.include('does not let the user guest in').and.not.include('secreto');
    // This address leads to the same broker but is not recognised as loopback.
    const elsewhere = await doctor({
      ...env,
      RABBITMQ_URL: wrongPassword.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    });
    expect(elsewhere.text)
      .to.include("guest may only connect from the broker's own machine")
      .and.include('add_user');
    const unreachable = await doctor({ ...env, RABBITMQ_URL: `amqp://127.0.0.1:${await stablePort()}` });
    expect(unreachable.text).to.include('✘ RabbitMQ does not answer at 127.0.0.1:');
    expect([refused.code, elsewhere.code, unreachable.code]).to.deep.equal([1, 1, 1]);
  });

  it('reports an alarm of RabbitMQ', async () => {
    const rabbit = await startRabbit();
    try {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.00001');
      const { code, text } = await doctor({ LEDGER_URL: newLedger(), RABBITMQ_URL: rabbit.url });
      expect(code).to.equal(1);
      expect(text).to.include('✘ RabbitMQ accepts no messages: low on memory');
    } finally {
      await rabbit.stop();
    }
  });
});
