import { appendFileSync, linkSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { createHandlers } from '../../mserv2/handlers.ts';
import {
  BuscarArchivosRequest,
  type BuscarArchivosResponse,
  OrdenBusqueda,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import { Tipo } from '../../proto/gen/archivos/v1/entrada.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { SearchedFolder } from '../support/index/searched.ts';
import { Mserv2 } from '../support/processes/mserv2.ts';
import { callContext } from '../support/services/call-context.ts';

type Query = Partial<BuscarArchivosRequest>;

const old = new Date('2001-01-01');
const filesOnly = { tipos: [Tipo.TIPO_ARCHIVO] };

/** Makes a root with `z/fichero` and others, all of 1 byte and of the year 2001. */
function plant(folder: TemporaryFolder, others = 3): string {
  mkdirSync(folder.join('raíz', 'z'), { recursive: true });
  mkdirSync(folder.join('raíz', 'b'));
  const files = ['z/fichero', ...Array.from({ length: others }, (_, n) => `b/otro ${n}`)];
  for (const file of files) {
    writeFileSync(folder.join('raíz', file), 'x');
    utimesSync(folder.join('raíz', file), old, old);
  }
  return folder.join('raíz');
}

async function search(searched: SearchedFolder, query: Query): Promise<BuscarArchivosResponse> {
  const request = BuscarArchivosRequest.fromPartial({ ...filesOnly, ...query });
  return await createHandlers(searched).buscarArchivos(request, callContext());
}

async function streamed(searched: SearchedFolder, query: Query): Promise<(string | undefined)[]> {
  const consulta = BuscarArchivosRequest.fromPartial({ ...filesOnly, ...query });
  const paths: (string | undefined)[] = [];
  const parts = createHandlers(searched).transmitirBusqueda?.({ consulta }, callContext()) ?? [];
  for await (const { archivos } of parts) {
    paths.push(...archivos.map(({ entrada }) => entrada?.ruta));
  }
  return paths;
}

const paths = ({ archivos }: BuscarArchivosResponse) => archivos.map(({ entrada }) => entrada?.ruta);

/** Appends to a file without an event in its folder, through a name that exists only meanwhile: as a memory map does. */
function appendUnnoticed(folder: TemporaryFolder, text: string): void {
  linkSync(folder.join('raíz', 'z', 'fichero'), folder.join('aparte'));
  appendFileSync(folder.join('aparte'), text);
  rmSync(folder.join('aparte'));
}

describe('A write that raises no event', () => {
  const writes: Readonly<Record<string, (folder: TemporaryFolder) => () => void>> = {
    'through a hard link outside of the root': (folder) => {
      linkSync(folder.join('raíz', 'z', 'fichero'), folder.join('fuera'));
      return () => appendFileSync(folder.join('fuera'), 'xx');
    },
    'as a memory map makes it': (folder) => () => appendUnnoticed(folder, 'xx'),
  };
  const queries: Readonly<Record<string, readonly [Query, number]>> = {
    'a least size': [{ bytesMin: 2 }, 1],
    'a greatest size': [{ bytesMax: 2 }, 3],
    'a first date': [{ modificadoDesde: new Date('2002-01-01') }, 1],
    'a last date': [{ modificadoHasta: new Date('2002-01-01') }, 3],
    'a size and a name': [{ nombre: 'fichero', bytesMin: 3, bytesMax: 3 }, 1],
  };
  for (const [how, prepare] of Object.entries(writes)) {
    for (const [filter, [query, total]] of Object.entries(queries)) {
      it(`${how} is seen by a filter with ${filter}`, async () => {
        using folder = new TemporaryFolder();
        const root = plant(folder);
        const write = prepare(folder);
        await using searched = new SearchedFolder(root);
        expect(await search(searched, {})).to.include({ total: 4, completo: true });
        write();
        const page = await search(searched, { ...query, limite: 1 });
        expect(page).to.include({ total, completo: true });
        expect(await streamed(searched, query)).to.have.length(total);
      });
    }

    it(`${how} is seen by the orders of sizes and dates`, async () => {
      using folder = new TemporaryFolder();
      const root = plant(folder);
      const write = prepare(folder);
      await using searched = new SearchedFolder(root);
      await search(searched, {});
      write();
      for (const orden of [OrdenBusqueda.ORDEN_BUSQUEDA_BYTES, OrdenBusqueda.ORDEN_BUSQUEDA_MODIFICADO]) {
        const page = await search(searched, { orden, descendente: true, limite: 1 });
        expect(paths(page)).to.deep.equal(['z/fichero']);
      }
    });
  }

  it('is seen among any number of files when it is made through a hard link', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder, 5100);
    linkSync(folder.join('raíz', 'z', 'fichero'), folder.join('fuera'));
    await using searched = new SearchedFolder(root);
    expect((await search(searched, {})).total).to.equal(5101);
    appendFileSync(folder.join('fuera'), 'xx');
    expect(paths(await search(searched, { bytesMin: 2 }))).to.deep.equal(['z/fichero']);
    appendFileSync(folder.join('fuera'), 'xx');
    expect(await streamed(searched, { bytesMin: 4 })).to.deep.equal(['z/fichero']);
  });

  it('is seen after a restart from a snapshot', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder, 5100);
    linkSync(folder.join('raíz', 'z', 'fichero'), folder.join('fuera'));
    const env = { MSERV2_SNAPSHOT: folder.join('snapshot') };
    for (let bytes = 2; bytes < 4; bytes++) {
      appendFileSync(folder.join('fuera'), 'x');
      await using mserv2 = await Mserv2.start(root, env);
      const wish = (bytesMin: number) => ({ ...filesOnly, bytesMin });
      const [before] = (await mserv2.searchUntilReady(wish(bytes))).slice(-1);
      expect(before).to.include({ total: 1, completo: true });
      appendFileSync(folder.join('fuera'), 'x');
      expect(await mserv2.search(wish(bytes + 1))).to.include({ total: 1, completo: true });
      bytes++;
    }
  });
});
