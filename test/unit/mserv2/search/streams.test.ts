import { expect } from 'chai';
import { type SearchPage, streamPages } from '../../../../mserv2/search/streams.ts';
import {
  BuscarArchivosRequest,
  BuscarArchivosResponse,
  EstadoIndice,
  type TransmitirBusquedaResponse,
} from '../../../../proto/gen/archivos/v1/busqueda.ts';

const { signal } = new AbortController();
const indice = { estado: EstadoIndice.ESTADO_INDICE_LISTO, version: 7, edadMs: 0 };

/** Finds numbers: each page has those from the cursor on, and one error that is always equal. */
function searchNumbers(count: number, asked: BuscarArchivosRequest[] = []): SearchPage {
  return async (query) => {
    asked.push(query);
    const from = Number(query.cursor ?? 0);
    const to = Math.min(count, from + query.limite);
    return BuscarArchivosResponse.fromPartial({
      archivos: Array.from({ length: to - from }, (_, i) => ({ entrada: { nombre: String(from + i) } })),
      siguiente: to < count ? String(to) : undefined,
      completo: count < 20_000,
      errores: [{ ruta: 'privado', codigo: 'EACCES' }],
      total: count,
      indice,
    });
  };
}

async function all(
  search: SearchPage,
  consulta = BuscarArchivosRequest.create(),
): Promise<TransmitirBusquedaResponse[]> {
  const parts: TransmitirBusquedaResponse[] = [];
  for await (const part of streamPages(search, consulta, signal)) parts.push(part);
  return parts;
}

describe('a stream of sorted results', () => {
  for (const count of [0, 1, 256, 257, 25_000]) {
    it(`has ${count} results in messages of at most 256, then one with the total and the state of the index`, async () => {
      const parts = await all(searchNumbers(count));
      const names = parts.flatMap(({ archivos }) => archivos.map(({ entrada }) => entrada?.nombre));
      expect(names).to.deep.equal(Array.from({ length: count }, (_, i) => String(i)));
      expect(Math.max(...parts.map(({ archivos }) => archivos.length))).to.be.at.most(256);
      expect(parts.at(-1)).to.deep.equal({
        archivos: [],
        errores: [],
        total: count,
        completo: count < 20_000,
        indice,
      });
      for (const part of parts.slice(0, -1)) {
        expect(part).to.include({ total: undefined, completo: undefined, indice: undefined });
      }
    });
  }

  it('reports an error once when every page has it', async () => {
    const parts = await all(searchNumbers(25_000));
    expect(parts.flatMap(({ errores }) => errores)).to.deep.equal([
      { ruta: 'privado', codigo: 'EACCES', rutaBytes: undefined },
    ]);
  });

  it('asks for a page of 256 first, whatever limit and cursor the query has', async () => {
    const asked: BuscarArchivosRequest[] = [];
    await all(
      searchNumbers(1000, asked),
      BuscarArchivosRequest.create({ nombre: 'x', limite: 7, cursor: '500' }),
    );
    expect(asked.map(({ nombre, limite, cursor }) => [nombre, limite, cursor])).to.deep.equal([
      ['x', 256, undefined],
      ['x', 10_000, '256'],
    ]);
  });

  it('sends an empty message while the search lasts', async () => {
    const found = Promise.withResolvers<BuscarArchivosResponse>();
    const parts = streamPages(() => found.promise, BuscarArchivosRequest.create(), signal);
    expect((await parts.next()).value).to.deep.equal({
      archivos: [],
      errores: [],
      total: undefined,
      completo: undefined,
      indice: undefined,
    });
    found.resolve(await searchNumbers(0)(BuscarArchivosRequest.create(), signal));
    expect((await parts.next()).value?.errores).to.have.lengthOf(1);
  });
});
