import { expect } from 'chai';
import fc from 'fast-check';
import { BadQueryError } from '../../../gateway/http/bad-query.ts';
import { readQuery } from '../../../gateway/http/query.ts';
import { motivos } from '../../../gateway/http/texts.ts';
import { buscarArchivos } from '../../../gateway/operations/buscar-archivos.ts';
import { listarArchivos } from '../../../gateway/operations/listar-archivos.ts';
import type { Operation } from '../../../gateway/operations/operation.ts';
import { Campo, Modo, OrdenBusqueda } from '../../../proto/gen/archivos/v1/busqueda.ts';
import { Tipo } from '../../../proto/gen/archivos/v1/entrada.ts';
import { OrdenListado } from '../../../proto/gen/archivos/v1/listado.ts';

const listar = (query: string) => listarArchivos.parse(readQuery(`/listar_archivos?${query}`));
const buscar = (query: string) => buscarArchivos.parse(readQuery(`/buscar_archivos?${query}`));

function refusals(parse: () => unknown): [string, string][] {
  try {
    parse();
  } catch (err) {
    if (err instanceof BadQueryError) return err.errores.map(({ parametro, motivo }) => [parametro, motivo]);
    throw err;
  }
  return [];
}

describe('the query of GET /listar_archivos', () => {
  it('has defaults when it is empty', () => {
    expect(listar('')).to.deep.equal({
      request: {
        ruta: '',
        rutaBytes: undefined,
        tipos: [],
        ocultos: false,
        recursivo: false,
        profundidad: 0,
        orden: OrdenListado.ORDEN_LISTADO_UNSPECIFIED,
        descendente: false,
        limite: 1000,
        cursor: undefined,
      },
      formato: undefined,
    });
  });

  it('may have every parameter', () => {
    const query =
      'ruta=a%20b/%C3%B1+c&tipo=carpeta&tipo=archivo&tipo=carpeta&ocultos=si&recursivo=si&profundidad=3&orden=-bytes&limite=10000&cursor=x';
    expect(listar(`${query}&formato=nombres&`)).to.deep.equal({
      request: {
        ruta: 'a b/ñ c',
        rutaBytes: undefined,
        tipos: [Tipo.TIPO_ARCHIVO, Tipo.TIPO_CARPETA],
        ocultos: true,
        recursivo: true,
        profundidad: 3,
        orden: OrdenListado.ORDEN_LISTADO_BYTES,
        descendente: true,
        limite: 10000,
        cursor: 'x',
      },
      formato: 'nombres',
    });
  });

  it('is recursive when it has a profundidad, which recursivo=no contradicts', () => {
    expect(listar('profundidad=1').request).to.include({ recursivo: true, profundidad: 1 });
    expect(listar('recursivo=1').request).to.include({ recursivo: true, profundidad: 0 });
    expect(refusals(() => listar('profundidad=2&recursivo=no'))).to.deep.equal([
      ['profundidad', 'incompatible-con'],
    ]);
    for (const bad of ['0', '2049', '-1', '1e1', '1.5', '']) {
      expect(
        refusals(() => listar(`profundidad=${bad}`)),
        bad,
      ).to.deep.equal([['profundidad', 'entero-entre']]);
    }
  });

  it('may have any path, because the service judges it', () => {
    expect(listar('ruta=../%00//').request.ruta).to.equal('../\0//');
    expect(listar('ruta=').request.ruta).to.equal('');
  });

  for (const [word, value] of Object.entries({
    true: true,
    1: true,
    si: true,
    false: false,
    0: false,
    no: false,
  })) {
    it(`may have ocultos=${word}`, () => expect(listar(`ocultos=${word}`).request.ocultos).to.equal(value));
  }

  for (const written of ['/+8=', '_-8', '_-8=', '/ 8=', '%2F%2B8']) {
    it(`may have ruta_b64=${written}`, () => {
      expect(listar(`ruta_b64=${written}`).request).to.deep.include({
        ruta: '',
        rutaBytes: Buffer.from([0xff, 0xef]),
      });
    });
  }

  const refused: Record<string, [string, string][]> = {
    'otro=1': [['otro', 'parametro-desconocido']],
    '=x': [['', 'parametro-desconocido']],
    '__proto__=1&constructor=1&toString=1': [
      ['__proto__', 'parametro-desconocido'],
      ['constructor', 'parametro-desconocido'],
      ['toString', 'parametro-desconocido'],
    ],
    'ruta=a&ruta=a': [['ruta', 'parametro-repetido']],
    'ruta=a&ruta_b64=YQ': [['ruta_b64', 'incompatible-con']],
    [`ruta=${'a'.repeat(8193)}`]: [['ruta', 'demasiado-largo']],
    'ruta_b64=': [['ruta_b64', 'vacio']],
    'cursor=': [['cursor', 'vacio']],
    'tipo=': [['tipo', 'valor-no-admitido']],
    'tipo=archivo&tipo=Archivo': [['tipo', 'valor-no-admitido']],
    'tipo=archivo,carpeta': [['tipo', 'valor-no-admitido']],
    'ocultos=TRUE': [['ocultos', 'valor-no-admitido']],
    ocultos: [['ocultos', 'valor-no-admitido']],
    'orden=--bytes': [['orden', 'valor-no-admitido']],
    'orden=__proto__': [['orden', 'valor-no-admitido']],
    'formato=xml': [['formato', 'valor-no-admitido']],
    'limite=x&orden=y&otro=z': [
      ['otro', 'parametro-desconocido'],
      ['orden', 'valor-no-admitido'],
      ['limite', 'entero-entre'],
    ],
  };
  it('is refused with at most 50 of its faults', () => {
    const query = Array.from({ length: 1500 }, (_, index) => `p${index}=1`).join('&');
    expect(refusals(() => listar(query))).to.have.length(50);
  });
  for (const [query, errores] of Object.entries(refused)) {
    it(`is refused when it is ${query.slice(0, 40)}`, () =>
      expect(refusals(() => listar(query))).to.have.deep.members(errores));
  }

  for (const limite of [
    '',
    '0',
    '-1',
    '+5',
    '%205',
    '5%20',
    '05',
    '1e3',
    '1.0',
    'NaN',
    '10001',
    '99999999999999999999',
    '٥',
  ]) {
    it(`is refused when it has limite=${limite}`, () => {
      expect(refusals(() => listar(`limite=${encodeURI(decodeURI(limite))}`))).to.deep.equal([
        ['limite', 'entero-entre'],
      ]);
    });
  }

  for (const written of ['YQ=', 'YQ===', 'YR', 'a', 'Y%09Q', 'YQ%0A', 'Y=Q=', 'ñ', '=', '====']) {
    it(`is refused when it has ruta_b64=${written}`, () => {
      expect(refusals(() => listar(`ruta_b64=${encodeURI(decodeURI(written))}`))).to.deep.equal([
        ['ruta_b64', 'base64-no-valido'],
      ]);
    });
  }

  it('may have any bytes in ruta_b64, in both Base64 alphabets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        for (const written of [buffer.toString('base64'), buffer.toString('base64url')]) {
          expect(listar(`ruta_b64=${written}`).request.rutaBytes?.equals(buffer)).to.equal(true);
        }
      }),
    );
  });

  for (const bad of ['%', '%zz', '%ff', '%C3', '%ED%A0%80']) {
    it(`is refused when it has the malformed encoding ${bad}`, () => {
      expect(refusals(() => listar(`ruta=${bad}&limite=0`))).to.deep.equal([
        ['ruta', 'codificacion-no-valida'],
      ]);
      expect(refusals(() => listar(`${bad}=1`))).to.deep.equal([[bad, 'codificacion-no-valida']]);
    });
  }
});

describe('the query of GET /buscar_archivos', () => {
  it('has defaults when it is empty', () => {
    expect(buscar('')).to.deep.equal({
      request: {
        nombre: '',
        modo: Modo.MODO_UNSPECIFIED,
        distinguirMayusculas: false,
        distinguirAcentos: false,
        ruta: '',
        rutaBytes: undefined,
        tipos: [],
        ocultos: false,
        limite: 100,
        cursor: undefined,
        campo: Campo.CAMPO_NOMBRE,
        extensiones: [],
        bytesMin: undefined,
        bytesMax: undefined,
        modificadoDesde: undefined,
        modificadoHasta: undefined,
        orden: OrdenBusqueda.ORDEN_BUSQUEDA_UNSPECIFIED,
        descendente: false,
      },
      formato: undefined,
    });
  });

  it('may have every parameter of names and paths', () => {
    const { request, formato } = buscar(
      'nombre=*.p%3Ff&modo=glob&distinguir_mayusculas=1&distinguir_acentos=true&ruta=a&tipo=otro&ocultos=1&limite=1&cursor=c&formato=json',
    );
    expect(formato).to.equal('json');
    expect(request).to.deep.include({
      nombre: '*.p?f',
      modo: Modo.MODO_GLOB,
      tipos: [Tipo.TIPO_OTRO],
      limite: 1,
    });
    expect(request).to.include({
      distinguirMayusculas: true,
      distinguirAcentos: true,
      ocultos: true,
      cursor: 'c',
    });
  });

  it('may have a name of at most 1024 bytes', () => {
    expect(buscar(`nombre=${'%C3%B1'.repeat(512)}`).request.nombre).to.have.length(512);
    expect(refusals(() => buscar(`nombre=${'%C3%B1'.repeat(513)}`))).to.deep.equal([
      ['nombre', 'demasiado-largo'],
    ]);
  });

  it('may have extensions, sizes, dates in any time zone and a descending order', () => {
    const { request } = buscar(
      'extension=.pdf&extension=tar.gz&extension=pdf&bytes_min=0&bytes_max=10&modificado_desde=2026-11-20&modificado_hasta=2026-11-20T23:00:00%2B01:00&orden=-modificado&campo=ruta&modo=difuso',
    );
    expect(request).to.deep.include({
      extensiones: ['pdf', 'tar.gz'],
      bytesMin: 0,
      bytesMax: 10,
      modificadoDesde: new Date('2026-11-20T00:00:00Z'),
      modificadoHasta: new Date('2026-11-20T22:00:00Z'),
      orden: OrdenBusqueda.ORDEN_BUSQUEDA_MODIFICADO,
      descendente: true,
      campo: Campo.CAMPO_RUTA,
      modo: Modo.MODO_DIFUSO,
    });
    expect(buscar('modificado_hasta=2026-11-20').request.modificadoHasta).to.deep.equal(
      new Date('2026-11-20T23:59:59.999Z'),
    );
  });

  for (const query of [
    'modo=exacta',
    'modo=',
    'orden=natural',
    'extension=',
    'extension=.',
    'bytes_min=-1',
    'bytes_min=1e3',
    'bytes_min=2&bytes_max=1',
    'modificado_desde=2026-02-30',
    'modificado_desde=2026-11-20T10:00:00',
    'modificado_desde=ayer',
    'modificado_desde=2026-11-21&modificado_hasta=2026-11-20',
    'recursivo=1',
    'limite=10001',
  ]) {
    it(`is refused when it is ${query}`, () => expect(refusals(() => buscar(query))).to.have.length(1));
  }
});

const word = fc.constantFrom(
  'ruta',
  'ruta_b64',
  'tipo',
  'limite',
  'orden',
  'nombre',
  'modo',
  'cursor',
  'formato',
  'ocultos',
  'extension',
  'bytes_min',
  'bytes_max',
  'modificado_desde',
  'modificado_hasta',
  'campo',
  '%',
);
const value = fc.oneof(
  fc.string({ unit: 'binary' }).map(encodeURIComponentSafe),
  fc.constantFrom('%', '1', 'archivo', 'si', '2026-11-20', 'ruta', 'regex'),
);

function encodeURIComponentSafe(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

for (const operation of [listarArchivos, buscarArchivos] as Operation[]) {
  it(`any query of ${operation.name} gives a request that survives JSON, or known reasons of refusal`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(word, value), { maxLength: 6 }), async (pairs) => {
        const target = `/${operation.name}?${pairs.map(([name, text]) => `${name}=${text}`).join('&')}`;
        let request: unknown;
        const reasons = refusals(() => {
          request = operation.parse(readQuery(target)).request;
        });
        if (request !== undefined) {
          const { toJson, parse, toBinary, fromBinary } = operation.method.request;
          const parsed = await parse(JSON.stringify(toJson(request)), { unknownFields: 'refuse' });
          expect(parsed).to.deep.equal(request);
          expect(fromBinary(toBinary(request))).to.deep.equal(request);
        }
        for (const [, motivo] of reasons) expect(motivo).to.be.oneOf(Object.keys(motivos));
      }),
      { numRuns: 500 },
    );
  });
}
