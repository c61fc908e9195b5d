import { expect } from 'chai';
import fc from 'fast-check';
import { BadQueryError } from '../../../gateway/http/bad-query.ts';
import { ProblemError } from '../../../gateway/http/problem.ts';
import { numeroOf, parseMessage, queryOfMessage } from '../../../gateway/live/query-message.ts';

const read = (message: object) => {
  const parsed = parseMessage(JSON.stringify(message));
  return [numeroOf(parsed), queryOfMessage(parsed).toString()] as const;
};

function refusals(message: object): [string, string][] {
  try {
    read(message);
  } catch (error) {
    if (error instanceof BadQueryError) {
      return error.errores.map(({ parametro, motivo }) => [parametro, motivo]);
    }
    throw error;
  }
  return [];
}

describe('a query message of a WebSocket', () => {
  it('becomes the query string of the GET request', () => {
    expect(
      read({ numero: 7, nombre: 'año & más', tipo: ['archivo', 'carpeta'], limite: 5, ocultos: true }),
    ).to.deep.equal([7, 'nombre=a%C3%B1o+%26+m%C3%A1s&tipo=archivo&tipo=carpeta&limite=5&ocultos=true']);
    expect(read({})).to.deep.equal([undefined, '']);
    expect(read({ numero: 0 })[0]).to.equal(0);
    expect(read({ numero: 2 ** 32 - 1 })[0]).to.equal(2 ** 32 - 1);
  });

  for (const text of [
    ...[
      '',
      'nada',
      '[]',
      'null',
      '7',
      '"x"',
      '{"a":1',
      '{"a":1}{}',
      `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
    ],
    ...['{"nombre":"a","nombre":"b"}', '{"nombre":"a","nombr\\u0065":"b"}', '{"__proto__":{}}'],
  ]) {
    it(`is refused when it is ${JSON.stringify(text.slice(0, 40))}`, () => {
      expect(() => parseMessage(text))
        .to.throw(ProblemError)
        .with.property('slug', 'mensaje-no-valido');
    });
  }

  it('is refused with all its faults', () => {
    expect(refusals({ numero: -1, nombre: {}, tipo: [['a']], ruta: null, formato: 'json' })).to.deep.equal([
      ['numero', 'entero-entre'],
      ['nombre', 'valor-no-valido'],
      ['tipo', 'valor-no-valido'],
      ['ruta', 'valor-no-valido'],
      ['formato', 'parametro-desconocido'],
    ]);
    for (const numero of [1.5, 2 ** 32, '7', null]) {
      expect(refusals({ numero })).to.deep.equal([['numero', 'entero-entre']]);
    }
  });

  it('is read or refused with a known error for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          const message = parseMessage(text);
          numeroOf(message);
          queryOfMessage(message);
        } catch (error) {
          if (!(error instanceof ProblemError || error instanceof BadQueryError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
