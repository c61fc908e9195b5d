import { connect } from 'amqplib';
import { expect } from 'chai';
import { mustConform } from '../support/clients/conformance.ts';
import { eventually } from '../support/processes/eventually.ts';
import { ownVhost, type SetUp, setUp } from '../support/processes/set-up.ts';
import { type Rabbit, sharedRabbit } from '../support/servers/rabbitmq.ts';

describe('Queues for people', () => {
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
    await mustConform(method, path, answer);
    const json = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, json };
  };

  it('give back what was put into them, in order and once', async () => {
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

  it('give back numbers with all of their digits', async () => {
    const post = (path: string, body?: string) =>
      fetch(archivero.url + path, {
        method: 'POST',
        ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
      });
    const mensaje = '{"id":12345678901234567890,"precio":0.10000000000000000001}';
    expect((await post('/colas/cifras/mensajes', `{"mensaje":${mensaje}}`)).status).to.equal(201);
    expect(await (await post('/colas/cifras/desencolar')).text()).to.include(`"mensaje":${mensaje}`);
  });

  it('give each message to one of those who take at the same time', async () => {
    const numbers = Array.from({ length: 40 }, (_, at) => at);
    await Promise.all(numbers.map((mensaje) => ask('POST', '/colas/reparto/mensajes', { mensaje })));
    const taken = await Promise.all(numbers.map(() => ask('POST', '/colas/reparto/desencolar')));
    expect(taken.map(({ json }) => json['mensaje'])).to.have.members(numbers);
    expect((await ask('GET', '/colas/reparto/conteo')).json['conteo']).to.equal(0);
  });

  it('are one for /apis/queue, which need not be there', async () => {
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
    expect((await ask('POST', '/apis/queue/pop')).json).to.include({ mensaje: 7, vacia: false });
  });

  it('are shown with what waits, what is unacknowledged, and who consumes', async () => {
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

  it('belong to a broker of which /salud tells version, latency and alarms', async () => {
    let json: Record<string, unknown> = {};
    let told: Record<string, unknown> = {};
    // A part that does not answer within 900 ms is null.
    await eventually(async () => {
      ({ json } = await ask('GET', '/salud'));
      told = json['rabbitmq'] as Record<string, unknown>;
      return told['latencia_ms'] !== null && told['alarmas'] !== null;
    });
    expect(told).to.deep.include({ estado: 'listo', alarmas: [] });
    expect(told['version']).to.match(/^\d+\.\d+\.\d+/);
    expect(told['latencia_ms']).to.be.above(0);
    const system = json['sistema'] as Record<string, number>;
    expect(system['memoria_libre_bytes']).to.be.above(0);
  });

  it('take nothing that is no message, and no other queue than theirs', async () => {
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

  it('that somebody else made otherwise are 409, and what others put into them is given as it is', async () => {
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

  it('that were deleted are made anew by the next push', async () => {
    await ask('POST', '/colas/borrada/mensajes', { mensaje: 1 });
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.deleteQueue('usuario.borrada');
    await connection.close();
    expect(await ask('POST', '/colas/borrada/mensajes', { mensaje: 2 })).to.include({ status: 201 });
    expect((await ask('POST', '/colas/borrada/desencolar')).json['mensaje']).to.equal(2);
  });
});

describe('Queues for people without a broker', () => {
  for (const [why, RABBITMQ_URL, slug] of [
    ['none is wanted', '', 'sin-rabbitmq'],
    ['it is away', 'amqp://127.0.0.1:1', 'rabbitmq-no-disponible'],
  ] as const) {
    it(`are 503 when ${why}, and say why`, async () => {
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
