import { expect } from 'chai';
import { BuscarArchivosRequest, BuscarArchivosResponse } from '../../../proto/gen/archivos/v1/busqueda.ts';
import { codec } from '../../../runtime/method.ts';
import { ProtoJsonError } from '../../../runtime/proto-json-error.ts';

const request = codec(BuscarArchivosRequest);
const response = codec(BuscarArchivosResponse);

describe('a message in proto3 JSON', () => {
  for (const [json, message] of [
    ['{}', {}],
    ['{"nombre":null,"rutaBytes":null,"tipos":null}', {}],
    ['{"ruta_bytes":"_w==","extensiones":["a"]}', { rutaBytes: Buffer.from([0xff]), extensiones: ['a'] }],
    ['{"limite":"10","bytesMin":"9007199254740991"}', { limite: 10, bytesMin: Number.MAX_SAFE_INTEGER }],
    ['{"limite":1e1,"tipos":[1,"TIPO_CARPETA",9],"modo":2}', { limite: 10, tipos: [1, 2, -1], modo: 2 }],
    [
      '{"modificadoDesde":"2026-11-30T20:00:00.123456789+01:00"}',
      { modificadoDesde: new Date(1796065200123) },
    ],
  ] as const) {
    it(`is parsed: ${json}`, async () => {
      const parsed = await request.parse(json, { unknownFields: 'refuse' });
      expect(parsed).to.deep.equal(BuscarArchivosRequest.fromPartial(message as object));
    });
  }

  for (const [json, problem] of [
    ['', /No JSON/],
    ['[]', 'BuscarArchivosRequest is no object: []'],
    ['null', 'BuscarArchivosRequest is no object: null'],
    ['{"nombre":7}', 'BuscarArchivosRequest.nombre is no text: 7'],
    ['{"nombre":"\\ud800"}', /nombre is no text/],
    ['{"ocultos":"no"}', '.ocultos is no boolean: "no"'],
    ['{"ocultos":0}', '.ocultos is no boolean: 0'],
    ['{"limite":"muchos"}', '.limite is no integer: "muchos"'],
    ['{"limite":1.5}', '.limite is no integer: 1.5'],
    ['{"limite":-1}', '.limite is no integer: -1'],
    ['{"limite":4294967296}', '.limite is no integer: 4294967296'],
    ['{"limite":""}', '.limite is no integer: ""'],
    ['{"bytesMin":"9007199254740993"}', '.bytesMin is no integer: "9007199254740993"'],
    ['{"rutaBytes":"año"}', '.rutaBytes is no base64'],
    ['{"rutaBytes":[255]}', '.rutaBytes is no base64'],
    ['{"tipos":"TIPO_CARPETA"}', '.tipos is no list'],
    ['{"tipos":[null]}', '.tipos[0] is no Tipo: null'],
    ['{"tipos":[1,"TIPO_RARO"]}', '.tipos[1] is no Tipo: "TIPO_RARO"'],
    ['{"modo":1.5}', '.modo is no Modo: 1.5'],
    ['{"modificadoDesde":"ayer"}', '.modificadoDesde is no time: "ayer"'],
    ['{"modificadoDesde":"2026-13-30T20:00:00Z"}', '.modificadoDesde is no time'],
    ['{"modificadoDesde":1796065200}', '.modificadoDesde is no time'],
    ['{"nombres":"a"}', '.nombres is unknown'],
    ['{"__proto__":1}', '.__proto__ is unknown'],
    ['{"constructor":1}', '.constructor is unknown'],
  ] as const) {
    it(`is refused: ${json}`, async () => {
      const refusal = await request.parse(json, { unknownFields: 'refuse' }).catch((error: unknown) => error);
      expect(refusal)
        .to.be.instanceOf(ProtoJsonError)
        .with.property('message')
        .that.matches(typeof problem === 'string' ? new RegExp(problem.replace(/[.[\]]/g, '\\$&')) : problem);
    });
  }

  it('is parsed without the fields of a newer sender, and its texts are checked at any depth', async () => {
    const newer = await response.parse('{"campoNuevo":[{}],"archivos":[{"entrada":{"otro":1}}]}');
    expect(newer.archivos[0]?.entrada?.nombre).to.equal('');
    const json = '{"archivos":[{},{"entrada":{"bytes":"muchos"},"puntaje":"NaN"}]}';
    const refusal: unknown = await response.parse(json).catch((error: unknown) => error);
    expect(String(refusal)).to.include('.archivos[1].entrada.bytes is no integer: "muchos"');
  });
});
