import { expect } from 'chai';
import { createIndex } from '../../../gateway/admin/index-page.ts';
import { type BrokerState, createSalud } from '../../../gateway/admin/salud.ts';
import type { ServiceClient } from '../../../gateway/calls/service-client.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

/** A service client with these addresses; the value tells whether the address answers. */
function clientOf(service: string, answers: Readonly<Record<string, boolean>>, hangs = false): ServiceClient {
  const probed = Object.entries(answers).map(([address, ok]) => ({
    address,
    ok,
    latencyMs: 1.23,
    clockAheadMs: ok ? -3000.4 : undefined,
  }));
  return {
    service,
    addresses: () => probed.map(({ address, ok }) => ({ address, breaker: ok ? 'closed' : 'open' })),
    probe: () => (hangs ? new Promise(() => undefined) : Promise.resolve(probed)),
  } as Partial<ServiceClient> as ServiceClient;
}

const hang = () => new Promise<never>(() => undefined);
const fail = () => Promise.reject(new Error('disk full: /srv/secret'));
const writable = { probe: () => Promise.resolve(), countOpen: () => Promise.resolve({ mserv1: 2 }) };

describe('/salud', () => {
  const apps: HttpApp[] = [];
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.stop();
  });

  async function ask(
    path: string,
    clients: readonly ServiceClient[],
    ledger: Parameters<typeof createSalud>[0]['ledger'] = writable,
    broker: BrokerState['estado'] | BrokerState = 'listo',
    consumers: Parameters<typeof createSalud>[0]['consumers'] = async () => 1,
  ) {
    const handlers = createSalud({
      clients,
      ledger,
      broker: () => (typeof broker === 'string' ? { estado: broker } : broker),
      consumers,
      startedAt: 0,
      version: '1.2.3',
    });
    const app = await startHttpApp((router) => {
      router
        .get('/salud', handlers.salud)
        .get('/salud/viva', handlers.viva)
        .get('/salud/preparada', handlers.preparada);
    });
    apps.push(app);
    const response = await fetch(app.url + path);
    expect(response.headers.get('cache-control')).to.equal('no-store');
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  const healthy = clientOf('mserv1', { 'a:1': true });

  it('shows every part, and the state sano when all parts work', async () => {
    const { status, body } = await ask('/salud', [healthy, clientOf('mserv2', { 'b:1': true })]);
    expect(status).to.equal(200);
    expect(body).to.deep.include({
      estado: 'sano',
      rabbitmq: { estado: 'listo' },
      versiones: { archivero: '1.2.3', node: process.versions.node },
      iniciado: '1970-01-01T00:00:00.000Z',
    });
    expect(body.servicios.mserv1).to.deep.equal({
      estado: 'sano',
      consumidores: 1,
      direcciones: [
        {
          direccion: 'a:1',
          responde: true,
          latencia_ms: 1.2,
          desfase_reloj_ms: -3000,
          disyuntor: 'cerrado',
        },
      ],
    });
    expect(body.registro).to.deep.include({ escribible: true, abiertas: { mserv1: 2 } });
    expect(body.memoria.residente_bytes).to.be.above(0);
    expect(body.segundos_en_marcha).to.be.a('number');
  });

  it('shows por_cola for an unreachable service with consumers, and caido without', async () => {
    const estado = async (consumers: () => Promise<number | undefined>) => {
      const { body } = await ask(
        '/salud',
        [clientOf('mserv1', { 'a:1': false })],
        writable,
        'listo',
        consumers,
      );
      return [body.estado, body.servicios.mserv1.estado, body.servicios.mserv1.consumidores];
    };
    expect(await estado(async () => 2)).to.deep.equal(['degradado', 'por_cola', 2]);
    expect(await estado(async () => 0)).to.deep.equal(['degradado', 'caido', 0]);
    expect(await estado(async () => undefined)).to.deep.equal(['degradado', 'caido', null]);
    expect(await estado(fail)).to.deep.equal(['degradado', 'caido', null]);
    expect(await estado(hang)).to.deep.equal(['degradado', 'caido', null]);
  });

  it('shows degradado with status 200 when a service, an address or the broker is down', async () => {
    const clients = [clientOf('mserv1', { 'a:1': false }), clientOf('mserv2', { 'b:1': true, 'b:2': false })];
    const { status, body } = await ask('/salud', clients, writable, 'listo', async () => 0);
    expect([status, body.estado]).to.deep.equal([200, 'degradado']);
    expect([body.servicios.mserv1.estado, body.servicios.mserv2.estado]).to.deep.equal([
      'caido',
      'degradado',
    ]);
    expect(body.servicios.mserv1.direcciones[0].disyuntor).to.equal('abierto');
    for (const estado of ['conectando', 'bloqueado'] as const) {
      expect((await ask('/salud', [healthy], writable, estado)).body.estado).to.equal('degradado');
    }
    expect((await ask('/salud', [healthy], writable, 'desactivado')).body.estado).to.equal('sano');
  });

  it('leaves out of account an address whose family the host of the service does not offer', async () => {
    const address = (port: string, unused: boolean): ServiceClient =>
      ({
        ...clientOf('mserv1', { [`127.0.0.1:${port}`]: true, [`[::1]:${port}`]: false }),
        addresses: () => [
          { address: `[::1]:${port}`, breaker: 'open', unused },
          { address: `127.0.0.1:${port}`, breaker: 'closed' },
        ],
      }) as ServiceClient;
    const { mserv1 } = (await ask('/salud', [address('1', true)])).body.servicios;
    expect(mserv1.estado).to.equal('sano');
    expect(mserv1.direcciones[0]).to.deep.include({ responde: false, motivo: 'familia-sin-uso' });
    expect((await ask('/salud', [address('1', false)])).body.servicios.mserv1.estado).to.equal('degradado');
  });

  it('shows degradado while the queues of a service cannot be used', async () => {
    const errores = [{ servicio: 'mserv2', motivo: 'PRECONDITION_FAILED - inequivalent arg' }];
    const { body } = await ask('/salud', [healthy], writable, { estado: 'listo', errores });
    expect([body.estado, body.rabbitmq.errores]).to.deep.equal(['degradado', errores]);
  });

  it('answers 503 when every part hangs', async () => {
    const ledger = { probe: hang, countOpen: hang };
    const client = clientOf('mserv1', { 'a:1': true }, true);
    const { status, body } = await ask('/salud', [client], ledger, 'listo', hang);
    expect([status, body.estado]).to.deep.equal([503, 'degradado']);
    expect(body.servicios.mserv1.estado).to.equal('caido');
    expect(body.servicios.mserv1.direcciones[0]).to.deep.include({ responde: false, latencia_ms: null });
    expect(body.registro).to.deep.include({ escribible: false, abiertas: null });
  });

  it('answers 503 without the reason when the ledger cannot be written', async () => {
    const { status, body } = await ask('/salud', [healthy], { ...writable, probe: fail });
    expect([status, body.estado, body.registro.escribible]).to.deep.equal([503, 'degradado', false]);
    expect(JSON.stringify(body)).not.to.include('secret');
  });

  it('answers preparada by the state of the ledger, and viva always', async () => {
    const down = [clientOf('mserv1', { 'a:1': false })];
    expect(await ask('/salud/preparada', down, writable, 'conectando')).to.deep.include({ status: 200 });
    for (const probe of [fail, hang]) {
      const { status, body } = await ask('/salud/preparada', down, { ...writable, probe });
      expect([status, body.estado]).to.deep.equal([503, 'no_preparada']);
      expect(await ask('/salud/viva', down, { ...writable, probe })).to.deep.equal({
        status: 200,
        body: { estado: 'viva' },
      });
    }
  });
});

describe('GET /', () => {
  it('names the product, and links with the prefix of the request', async () => {
    const app = await startHttpApp((router) => {
      router.get('/', createIndex({ version: '1.2.3', operations: [{ name: 'listar_archivos' }] }));
    });
    try {
      const bare = JSON.parse(await (await fetch(app.url)).text());
      expect(bare).to.deep.include({ nombre: 'archivero', version: '1.2.3' });
      expect(bare.enlaces).to.include({ listar_archivos: '/listar_archivos', salud: '/salud' });
      for (const path of ['/v1', '/v1/']) {
        const prefixed = JSON.parse(await (await fetch(app.url + path)).text());
        expect(prefixed.enlaces).to.include({ listar_archivos: '/v1/listar_archivos', salud: '/v1/salud' });
      }
    } finally {
      await app.stop();
    }
  });
});
