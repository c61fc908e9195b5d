import { expect } from 'chai';
import fc from 'fast-check';
import { renderVerdict } from '../../../gateway/answers/renderer.ts';
import type { Verdict } from '../../../gateway/calls/verdict.ts';
import { serviceReasons, slugOfStatus, statusOf } from '../../../gateway/http/problem-types.ts';
import { buscarArchivos } from '../../../gateway/operations/buscar-archivos.ts';
import { listarArchivos } from '../../../gateway/operations/listar-archivos.ts';
import type { Operation, View } from '../../../gateway/operations/operation.ts';
import { BuscarArchivosResponse, EstadoIndice } from '../../../proto/gen/archivos/v1/busqueda.ts';
import { Tipo } from '../../../proto/gen/archivos/v1/entrada.ts';
import { ListarArchivosResponse } from '../../../proto/gen/archivos/v1/listado.ts';
import { Status } from '../../../runtime/status.ts';

const view: View = { target: '/v1/listar_archivos?ruta=a%20b', formato: 'json', idioma: 'es' };
const listar = listarArchivos as Operation;
const buscar = buscarArchivos as Operation;

const page = ListarArchivosResponse.create({
  archivos: [
    {
      nombre: 'Informe Técnico.pdf',
      ruta: '2026/Informe Técnico.pdf',
      tipo: Tipo.TIPO_ARCHIVO,
      bytes: 0,
      modificado: new Date('2026-11-20T10:00:00.120Z'),
    },
    { nombre: 'c', ruta: 'c', tipo: Tipo.TIPO_CARPETA, modificado: new Date(0) },
    { nombre: 'l', ruta: 'l', tipo: Tipo.TIPO_ENLACE_SIMBOLICO, bytes: 3, destino: 'c' },
    {
      nombre: '\ufffd',
      ruta: '\ufffd',
      tipo: Tipo.TIPO_OTRO,
      nombreBytes: Buffer.from([0xff]),
      rutaBytes: Buffer.from([0xff]),
    },
  ],
  siguiente: 'a+b/c=',
  completo: false,
  errores: [
    { ruta: 'privado', codigo: 'EACCES' },
    { ruta: '\ufffd', codigo: 'EIO', rutaBytes: Buffer.from([0xff]) },
  ],
});

describe('a rendered answer', () => {
  it('is the envelope with its members in a fixed order', () => {
    const { status, headers, body } = renderVerdict(listar, { ok: true, response: page }, view);
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('application/json; charset=utf-8');
    expect(body.toString()).to.equal(
      '{"archivos":[' +
        '{"nombre":"Informe Técnico.pdf","ruta":"2026/Informe Técnico.pdf","tipo":"archivo","bytes":0,' +
        '"modificado":"2026-11-20T10:00:00.120Z"},' +
        '{"nombre":"c","ruta":"c","tipo":"carpeta","modificado":"1970-01-01T00:00:00.000Z"},' +
        '{"nombre":"l","ruta":"l","tipo":"enlace_simbolico","bytes":3,"destino":"c"},' +
        '{"nombre":"\ufffd","ruta":"\ufffd","tipo":"otro","nombre_b64":"/w==","ruta_b64":"/w=="}],' +
        '"siguiente":"a+b/c=","completo":false,' +
        '"errores":[{"ruta":"privado","codigo":"EACCES"},{"ruta":"\ufffd","codigo":"EIO","ruta_b64":"/w=="}]}',
    );
  });

  it('has the total and no next page when a search ends with this page', () => {
    const response = BuscarArchivosResponse.create({ completo: true, total: 0 });
    const { headers, body } = renderVerdict(buscar, { ok: true, response }, view);
    expect(body.toString()).to.equal(
      '{"archivos":[],"total":0,"siguiente":null,"completo":true,"errores":[]}',
    );
    expect(headers).not.to.have.property('link');
  });

  it('has match ranges, scores and the state of the index when it answers a search', () => {
    const response = BuscarArchivosResponse.create({
      archivos: [
        { entrada: { nombre: 'año', ruta: 'año', tipo: Tipo.TIPO_CARPETA }, coincidencias: [{ hasta: 2 }] },
        {
          entrada: { nombre: 'b', ruta: 'b', tipo: Tipo.TIPO_ARCHIVO, bytes: 1 },
          coincidencias: [
            { desde: 0, hasta: 1 },
            { desde: 3, hasta: 4 },
          ],
          puntaje: 31.5,
        },
      ],
      completo: false,
      total: 7,
      indice: { estado: EstadoIndice.ESTADO_INDICE_VERIFICANDO, version: 3, edadMs: 4 },
    });
    const { body } = renderVerdict(buscar, { ok: true, response }, view);
    expect(body.toString()).to.equal(
      '{"archivos":[{"nombre":"año","ruta":"año","tipo":"carpeta","coincidencias":[[0,2]]},' +
        '{"nombre":"b","ruta":"b","tipo":"archivo","bytes":1,"coincidencias":[[0,1],[3,4]],"puntaje":31.5}],' +
        '"total":7,"siguiente":null,"completo":false,"errores":[],"indice":{"estado":"verificando"}}',
    );
    const names = renderVerdict(buscar, { ok: true, response }, { ...view, formato: 'nombres' });
    expect(names.body.toString()).to.equal('["año","b"]');
  });

  it('is an array of names when the format is nombres', () => {
    const { headers, body } = renderVerdict(
      listar,
      { ok: true, response: page },
      { ...view, formato: 'nombres' },
    );
    expect(body.toString()).to.equal('["Informe Técnico.pdf","c","l","\ufffd"]');
    expect(headers['link']).to.include('rel="next"');
  });

  const links: Record<string, string> = {
    '/listar_archivos': '/listar_archivos?cursor=a%2Bb%2Fc%3D',
    '/v1/listar_archivos?ruta=a%20b&x=%7e+': '/v1/listar_archivos?ruta=a%20b&x=%7e+&cursor=a%2Bb%2Fc%3D',
    '/x?cursor=1&ruta=cursor&&cursor&mi_cursor=2': '/x?ruta=cursor&mi_cursor=2&cursor=a%2Bb%2Fc%3D',
  };
  for (const [target, next] of Object.entries(links)) {
    it(`links to the page after ${target}`, () => {
      const { headers } = renderVerdict(listar, { ok: true, response: page }, { ...view, target });
      expect(headers['link']).to.equal(`<${next}>; rel="next"`);
    });
  }

  it('has a strong ETag that changes only with its bytes', () => {
    const one = renderVerdict(listar, { ok: true, response: page }, view);
    const same = renderVerdict(listar, { ok: true, response: page }, { ...view, idioma: 'en' });
    const other = renderVerdict(listar, { ok: true, response: { ...page, completo: true } }, view);
    expect(one.headers['etag'])
      .to.match(/^"[\w-]{27}"$/)
      .and.equal(same.headers['etag']);
    expect(other.headers['etag']).not.to.equal(one.headers['etag']);
  });
});

describe('a rendered error status', () => {
  const render = (code: Exclude<Status, 0>, message: string, over: Partial<View> = {}) => {
    const answer = renderVerdict(listar, { ok: false, code, message }, { ...view, ...over });
    return { ...answer, problem: JSON.parse(answer.body.toString()) };
  };

  it('has the text of a known reason, in the language of the request', () => {
    const message = 'ruta-no-existe: The folder does not exist';
    expect(render(Status.NOT_FOUND, message).problem).to.deep.equal({
      type: '/problemas/ruta-no-existe',
      title: 'La ruta no existe',
      status: 404,
      detail: 'No existe ninguna carpeta en esa ruta.',
      instance: '/v1/listar_archivos?ruta=a%20b',
    });
    const english = render(Status.NOT_FOUND, message, { idioma: 'en' });
    expect(english.problem.title).to.equal('No such path');
    expect(english.headers).to.include({ 'content-type': 'application/problem+json; charset=utf-8' });
    expect(english.headers['etag']).to.match(/^"[\w-]{27}"$/);
  });

  it('names the parameter that the client used', () => {
    const reason = 'ruta-no-valida: x';
    expect(render(Status.INVALID_ARGUMENT, reason).problem.errores).to.deep.equal([
      { parametro: 'ruta', motivo: 'La ruta debe ser relativa a la raíz y no puede salir de ella.' },
    ]);
    const bytes = render(Status.INVALID_ARGUMENT, reason, { target: '/x?ruta_b64=Li4' });
    expect(bytes.problem.errores[0].parametro).to.equal('ruta_b64');
    expect(render(Status.INVALID_ARGUMENT, reason, { target: '/x' }).problem).not.to.have.property('errores');
  });

  it('has the problem type of its status when the reason is unknown, and the detail of the service', () => {
    expect(render(Status.NOT_FOUND, 'juego-no-existe: There is no such game').problem).to.include({
      type: '/problemas/no-encontrado',
      title: 'No encontrado',
      detail: 'There is no such game',
    });
    expect(render(Status.NOT_FOUND, 'solicitud-no-encontrada: x').problem.type).to.equal(
      '/problemas/no-encontrado',
    );
    expect(render(Status.RESOURCE_EXHAUSTED, '').problem.detail).to.equal(
      'El servicio no admite más trabajo ahora.',
    );
  });

  it('has a challenge when it is a 401', () => {
    const { status, headers } = render(Status.UNAUTHENTICATED, 'x');
    expect(status).to.equal(401);
    expect(headers['www-authenticate']).to.equal('Bearer realm="archivero"');
  });

  it('has no text of the service when it is a 5xx', () => {
    for (const code of Object.values(Status)) {
      if (code === Status.OK) continue;
      const { problem, status } = render(code, 'cannot open /srv/secret');
      expect(problem.status).to.equal(status);
      if (status >= 500) expect(JSON.stringify(problem)).not.to.include('secret');
    }
  });

  it('has the HTTP status that is documented for its problem type', () => {
    for (const code of Object.values(Status)) {
      if (code === Status.OK) continue;
      expect(render(code, 'x').status).to.equal(statusOf[slugOfStatus[code]]);
    }
    expect(Object.keys(serviceReasons)).to.include.members([
      'ruta-no-valida',
      'cursor-no-valido',
      'sin-recursos',
    ]);
  });
});

/**
 * Texts with byte order marks, line separators and markup. None has half a surrogate pair: services decode names from
 * bytes, and proto3 JSON refuses it.
 */
const hostile = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc
      .array(fc.constantFrom('\ufffd', '\ufeff', '\0', '\u2028', '"', '\\', '</script>', '%', 'ñ', '😀'), {
        maxLength: 4,
      })
      .map((parts) => parts.join('')),
  )
  .map((text) => text.toWellFormed());
const bytes = fc.option(
  fc.uint8Array({ maxLength: 6 }).map((array) => Buffer.from(array)),
  { nil: undefined },
);
/** Dates from year 1 to 9999, so that some times are negative. */
const date = fc.date({ min: new Date(-62135596800000), max: new Date(253402300799999), noInvalidDate: true });
const entry = fc.record({
  nombre: hostile,
  ruta: hostile,
  tipo: fc.constantFrom(...Object.values(Tipo), 77) as fc.Arbitrary<Tipo>,
  bytes: fc.option(fc.maxSafeNat(), { nil: undefined }),
  modificado: fc.option(date, { nil: undefined }),
  destino: fc.option(hostile, { nil: undefined }),
  nombreBytes: bytes,
  rutaBytes: bytes,
});
const rest = {
  siguiente: fc.option(hostile, { nil: undefined }),
  completo: fc.boolean(),
  errores: fc.array(fc.record({ ruta: hostile, codigo: hostile, rutaBytes: bytes }), { maxLength: 2 }),
};
const listed = fc.record({ archivos: fc.array(entry, { maxLength: 4 }), ...rest });
const offset = fc.nat(765);
const finding = fc.record({
  entrada: entry,
  coincidencias: fc.array(fc.record({ desde: offset, hasta: offset }), { maxLength: 3 }),
  puntaje: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
});
const indice = fc.record({
  estado: fc.constantFrom(...Object.values(EstadoIndice), 77) as fc.Arbitrary<EstadoIndice>,
  version: fc.maxSafeNat(),
  edadMs: fc.maxSafeNat(),
});
const found = fc.record({
  archivos: fc.array(finding, { maxLength: 4 }),
  ...rest,
  total: fc.maxSafeNat(),
  indice: fc.option(indice, { nil: undefined }),
});

describe('the bytes of an answer', () => {
  for (const [operation, response] of [
    [listar, listed],
    [buscar, found],
  ] as [Operation, fc.Arbitrary<object>][]) {
    it(`are equal by gRPC and by the queue for ${operation.name}`, async () => {
      await fc.assert(
        fc.asyncProperty(response, fc.constantFrom('json', 'nombres'), async (message, formato) => {
          const { toBinary, fromBinary, toJson, parse } = operation.method.response;
          const direct: Verdict = { ok: true, response: fromBinary(toBinary(message)) };
          const queued: Verdict = {
            ok: true,
            response: await parse(JSON.stringify(toJson(message))),
          };
          const answers = [direct, queued].map((verdict) =>
            renderVerdict(operation, verdict, { ...view, formato }),
          );
          expect(answers[0]).to.deep.equal(answers[1]);
        }),
        { numRuns: 500 },
      );
    });
  }
});
