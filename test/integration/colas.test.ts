import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json as jsonOf } from 'node:stream/consumers';
import { connect } from 'amqplib';
import { expect } from 'chai';
import { assertConforms } from '../support/clients/conformance.ts';
import { eventually } from '../support/processes/eventually.ts';
import { ownVhost, type SetUp, setUp } from '../support/processes/set-up.ts';
import { type Rabbit, sharedRabbit } from '../support/servers/rabbitmq.ts';

describe('User queues', () => {
  let rabbit: Rabbit;
  let url: string;
  let archivero: SetUp;
  before(async () => {
    rabbit = await sharedRabbit();
    ({ url } = await ownVhost(rabbit));
    const env = { RABBITMQ_URL: url, RABBITMQ_MANAGEMENT_URL: rabbit.managementUrl };
    archivero = await setUp({ env, running: ['gateway'] });
  });
  after(() => archivero[Symbol.asyncDispose]());

  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(archivero.url + path, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    await assertConforms(method, path, answer);
    const json = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, json };
  };

  it('return each message once, in the order of the pushes', async () => {
    const messages = [{ a: 'ñ', b: [1, null] }, null, 'texto', 0];
    for (const mensaje of messages) {
      const { status, json } = await ask('POST', '/colas/compras/mensajes', { mensaje });
      expect([status, json['cola']]).to.deep.equal([201, 'usuario.compras']);
    }
    expect((await ask('GET', '/colas/compras/conteo')).json).to.deep.equal({
      cola: 'usuario.compras',
      conteo: 4,
    });
    for (const [at, mensaje] of messages.entries()) {
      const { json } = await ask('POST', '/v1/colas/usuario.compras/desencolar');
      expect(json).to.deep.include({ mensaje, vacia: false, cola: 'usuario.compras', quedan: 3 - at });
    }
    expect((await ask('POST', '/colas/compras/desencolar')).json).to.deep.equal({
      mensaje: null,
      vacia: true,
    });
  });

  it('are neither pushed to nor popped from with an If-Match, which no action can meet', async () => {
    const headers = { 'content-type': 'application/json' };
    const post = (path: string, condition: Record<string, string>, body?: string) =>
      fetch(archivero.url + path, {
        method: 'POST',
        ...(body === undefined ? { headers: condition } : { body, headers: { ...headers, ...condition } }),
      });
    for (const [push, pop, count] of [
      ['/colas/condiciones/mensajes', '/colas/condiciones/desencolar', '/colas/condiciones/conteo'],
      ['/apis/queue/push', '/apis/queue/pop', '/apis/queue/count'],
    ] as const) {
      const body = '{"mensaje":1}';
      expect((await post(push, { 'if-none-match': '*' }, body)).status).to.equal(201);
      for (const etag of ['"x"', '*']) {
        for (const refused of [
          await post(push, { 'if-match': etag }, body),
          await post(pop, { 'if-match': etag }),
        ]) {
          expect(refused.status, `${push} ${etag}`).to.equal(412);
          expect(await refused.json()).to.include({ type: '/problemas/precondicion-no-cumplida' });
        }
      }
      expect((await post(push, { 'if-match': '*' }, '{')).status).to.equal(400);
      expect((await ask('GET', count)).json['conteo']).to.equal(1);
      expect((await post(pop, { 'if-none-match': '*' })).status).to.equal(200);
    }
  });

  it('return numbers with all of their digits', async () => {
    const post = (path: string, body?: string) =>
      fetch(archivero.url + path, {
        method: 'POST',
        ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
      });
    const mensaje = '{"id":12345678901234567890,"precio":0.10000000000000000001}';
    expect((await post('/colas/cifras/mensajes', `{"mensaje":${mensaje}}`)).status).to.equal(201);
    expect(await (await post('/colas/cifras/desencolar')).text()).to.include(`"mensaje":${mensaje}`);
  });

  it('give each message to exactly one of 40 simultaneous pops', async () => {
    const numbers = Array.from({ length: 40 }, (_, at) => at);
    await Promise.all(numbers.map((mensaje) => ask('POST', '/colas/reparto/mensajes', { mensaje })));
    const taken = await Promise.all(numbers.map(() => ask('POST', '/colas/reparto/desencolar')));
    expect(taken.map(({ json }) => json['mensaje'])).to.have.members(numbers);
    expect((await ask('GET', '/colas/reparto/conteo')).json['conteo']).to.equal(0);
  });

  it('include a default queue for /apis/queue, which is empty before its first push', async () => {
    expect((await ask('GET', '/apis/queue/count')).json).to.deep.equal({
      cola: 'usuario.general',
      conteo: 0,
    });
    expect(await ask('POST', '/apis/queue/pop', {})).to.deep.equal({
      status: 200,
      json: { mensaje: null, vacia: true },
    });
    expect((await ask('POST', '/apis/queue/push', { mensaje: 7 })).status).to.equal(201);
    expect((await ask('GET', '/apis/queue/count')).json['conteo']).to.equal(1);
    // No body, in chunks, as some clients and proxies send it.
    const pop = request(`${archivero.url}/apis/queue/pop`, { method: 'POST' });
    pop.flushHeaders();
    pop.end();
    const [popped] = (await once(pop, 'response')) as [IncomingMessage];
    expect(await jsonOf(popped)).to.include({ mensaje: 7, vacia: false });
  });

  it('are listed with their ready messages, unacknowledged messages and consumers', async () => {
    await ask('POST', '/colas/vista/mensajes', { mensaje: 1 });
    await ask('POST', '/colas/vista/mensajes', { mensaje: 2 });
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.prefetch(1);
    await channel.consume('usuario.vista', () => undefined);
    const shown = { nombre: 'usuario.vista', tipo: 'usuario', listos: 1, sin_confirmar: 1, consumidores: 1 };
    await eventually(async () => {
      const { json } = await ask('GET', '/colas/vista');
      return JSON.stringify(json) === JSON.stringify(shown);
    });
    const { json } = await ask('GET', '/colas');
    const colas = json['colas'] as { nombre: string; tipo: string }[];
    expect(json['completo']).to.equal(true);
    expect(colas).to.deep.include(shown);
    expect(colas.map(({ nombre }) => nombre)).to.include.members([
      'archivero.mserv1.v1',
      'archivero.mserv2.v1',
    ]);
    await connection.close();
  });

  it('have the version, latency and alarms of their broker in /salud', async () => {
    let json: Record<string, unknown> = {};
    let rabbitmq: Record<string, unknown> = {};
    // A check that takes more than 900 ms gives null.
    await eventually(async () => {
      ({ json } = await ask('GET', '/salud'));
      rabbitmq = json['rabbitmq'] as Record<string, unknown>;
      return rabbitmq['latencia_ms'] !== null && rabbitmq['alarmas'] !== null;
    });
    expect(rabbitmq).to.deep.include({ estado: 'listo', alarmas: [] });
    expect(rabbitmq['version']).to.match(/^\d+\.\d+\.\d+/);
    expect(rabbitmq['latencia_ms']).to.be.above(0);
    const system = json['sistema'] as Record<string, number>;
    expect(system['memoria_libre_bytes']).to.be.above(0);
  });

  it('refuse invalid messages, invalid names and internal queues', async () => {
    expect(await ask('POST', '/colas/x/mensajes', { otro: 1 })).to.include({ status: 400 });
    expect(await ask('POST', '/colas/x/mensajes', { mensaje: 'x'.repeat(300_000) })).to.include({
      status: 413,
    });
    const plain = await fetch(`${archivero.url}/colas/x/mensajes`, { method: 'POST', body: 'mensaje=1' });
    expect(plain.status).to.equal(415);
    expect(await ask('GET', '/colas/x')).to.include({ status: 404 });
    for (const name of ['archivero.mserv1.v1', 'archivero.respuestas.0.v1']) {
      expect(await ask('POST', `/colas/${name}/mensajes`, { mensaje: 1 })).to.include({ status: 403 });
      expect(await ask('POST', `/colas/${name}/desencolar`)).to.include({ status: 403 });
    }
    for (const name of ['a%20b', 'x'.repeat(101), 'amq.gen-1%00', '-a', 'usuario.']) {
      const { status, json } = await ask('POST', `/colas/${name}/mensajes`, { mensaje: 1 });
      expect([status, json['type']], name).to.deep.equal([400, '/problemas/nombre-de-cola-no-valido']);
    }
  });

  it('give 409 when declared otherwise by another program, and return its messages unchanged', async () => {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertQueue('usuario.ajena', { durable: false });
    expect(await ask('POST', '/colas/ajena/mensajes', { mensaje: 1 })).to.include({ status: 409 });
    channel.sendToQueue('usuario.ajena', Buffer.from('hola, no soy JSON'));
    channel.sendToQueue('usuario.ajena', Buffer.from([0xff, 0xfe]));
    await eventually(async () => (await ask('GET', '/colas/ajena/conteo')).json['conteo'] === 2);
    expect((await ask('POST', '/colas/ajena/desencolar')).json['mensaje']).to.equal('hola, no soy JSON');
    expect((await ask('POST', '/colas/ajena/desencolar')).json['mensaje_b64']).to.equal('//4=');
    await channel.assertQueue('usuario.exclusiva', { exclusive: true });
    expect(await ask('GET', '/colas/exclusiva')).to.include({ status: 409 });
    await connection.close();
  });

  it('are declared again by the next push after their deletion', async () => {
    await ask('POST', '/colas/borrada/mensajes', { mensaje: 1 });
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.deleteQueue('usuario.borrada');
    await connection.close();
    expect(await ask('POST', '/colas/borrada/mensajes', { mensaje: 2 })).to.include({ status: 201 });
    expect((await ask('POST', '/colas/borrada/desencolar')).json['mensaje']).to.equal(2);
  });
});

describe('User queues without a broker', () => {
  for (const [why, RABBITMQ_URL, slug] of [
    ['no broker is configured', '', 'sin-rabbitmq'],
    ['the broker is away', 'amqp://127.0.0.1:1', 'rabbitmq-no-disponible'],
  ] as const) {
    it(`answer 503 with the reason when ${why}`, async () => {
      await using archivero = await setUp({ env: { RABBITMQ_URL }, running: ['gateway'] });
      const headers = { 'content-type': 'application/json' };
      const answers = [
        await archivero.get('/colas'),
        await archivero.get('/colas/x'),
        await archivero.get('/apis/queue/count'),
        await fetch(`${archivero.url}/colas/x/mensajes`, { method: 'POST', headers, body: '{"mensaje":1}' }),
        await fetch(`${archivero.url}/apis/queue/pop`, { method: 'POST' }),
      ];
      for (const answer of answers) {
        expect(answer.status, answer.url).to.equal(503);
        const { type, detail } = (await answer.json()) as { type: string; detail: string };
        expect(type).to.equal(`/problemas/${slug}`);
        expect(detail).to.include('RabbitMQ');
      }
    });
  }
});
