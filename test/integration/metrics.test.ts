import { expect } from 'chai';
import { eventually } from '../support/processes/eventually.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

describe('Metrics and request logs', () => {
  let archivero: SetUp;
  before(async () => {
    archivero = await setUp({ running: ['mserv1', 'gateway'] });
  });
  after(() => archivero[Symbol.asyncDispose]());

  const scraped = async (): Promise<ReadonlyMap<string, number>> => {
    const text = await (await archivero.get('/metrics')).text();
    const samples = [...text.matchAll(/^([a-z_]+(?:\{.*\})?) (\S+)$/gm)];
    return new Map(samples.map(([, series = '', value]) => [series, Number(value)]));
  };

  it('count requests, calls, breakers, fallbacks and open solicitudes', async () => {
    await (await archivero.get('/listar_archivos')).text();
    await (await archivero.get('/v1/listar_archivos')).text();
    await (await archivero.get('/listar_archivos?formato=ndjson')).text();
    await (await archivero.get('/solicitudes/x')).text();
    await (await archivero.get('/nada')).text();
    const { status } = await archivero.get('/buscar_archivos');
    expect(status).to.equal(202);
    const cancelled = await archivero.get('/buscar_archivos', { prefer: 'respond-async' });
    await fetch(archivero.url + cancelled.headers.get('location'), { method: 'DELETE' });
    await (await archivero.get('/buscar_archivos?formato=ndjson')).text();
    const count = (method: string, route: string, code: number, served: string) =>
      `archivero_http_request_duration_seconds_count{method="${method}",route="${route}",status="${code}",served="${served}"}`;
    const wanted: Readonly<Record<string, number>> = {
      [count('GET', '/listar_archivos', 200, 'grpc')]: 3,
      [count('GET', '/solicitudes/:id', 404, '')]: 1,
      [count('GET', 'none', 404, '')]: 1,
      [count('GET', '/buscar_archivos', 202, 'cola')]: 2,
      'archivero_rpc_duration_seconds_count{service="mserv1",rpc="archivos.v1.ListadoService/ListarArchivos",code="OK"}': 2,
      'archivero_fallbacks_total{service="mserv2",outcome="queued",reason="connection_refused"}': 1,
      'archivero_fallbacks_total{service="mserv2",outcome="refused",reason="connection_refused"}': 1,
      archivero_ledger_readable: 1,
      archivero_ledger_writable: 1,
      'archivero_solicitudes_ended_total{state="cancelada"}': 1,
      'archivero_solicitudes_ended_total{state="fallida"}': 0,
      'archivero_ledger_open{service="mserv1"}': 0,
      'archivero_ledger_open{service="mserv2"}': 1,
    };
    // An NDJSON request is counted when its last byte is sent.
    let samples = await scraped();
    await eventually(async () => {
      samples = await scraped();
      return Object.keys(wanted).every((series) => samples.has(series));
    });
    for (const [series, value] of Object.entries(wanted)) expect(samples.get(series), series).to.equal(value);
    const breakers = [...samples].filter(([series]) => series.startsWith('archivero_breaker_open'));
    expect(breakers.map(([, open]) => open)).to.have.members([0, 1]);
    expect(samples.get('archivero_ledger_oldest_seconds')).to.be.above(0);
    expect(samples.get('archivero_ledger_disk_free_bytes')).to.be.above(2 ** 20);
  });

  it('show a full ledger as not writable', async () => {
    await using it = await setUp({ running: ['gateway'], env: { LEDGER_MAX_ROWS: '1' } });
    expect((await it.get('/listar_archivos')).status).to.equal(202);
    expect(await (await it.get('/metrics')).text()).to.match(/^archivero_ledger_writable 0$/m);
  });

  it('contain the route and the bytes of a stream', async () => {
    const text = await (await archivero.get('/listar_archivos?formato=ndjson&ocultos=si')).text();
    const line = await archivero.processes
      .get('gateway')
      ?.waitFor(({ msg, target }) => msg === 'request' && String(target).endsWith('ocultos=si'));
    expect(line).to.include({
      route: '/listar_archivos',
      bytes: Buffer.byteLength(text),
      status: 200,
      servidoPor: 'grpc',
      caller: 'anonimo',
    });
  });
});
