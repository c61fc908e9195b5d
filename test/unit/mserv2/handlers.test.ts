import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { createHandlers } from '../../../mserv2/handlers.ts';
import {
  BuscarArchivosRequest,
  type BuscarArchivosResponse,
  type Hallazgo,
  Modo,
  type TransmitirBusquedaResponse,
} from '../../../proto/gen/archivos/v1/busqueda.ts';
import {
  hostileName,
  hostileTree,
  inside,
  type PlannedEntry,
  plantTree,
} from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { SearchedFolder } from '../../support/index/searched.ts';
import { unprivileged } from '../../support/processes/unprivileged.ts';
import { callContext } from '../../support/services/call-context.ts';
import { statusOf } from '../../support/services/status-of.ts';

type Query = Partial<BuscarArchivosRequest>;

/** Searches in the order of paths, unless the query has another order. */
function ask(searched: SearchedFolder, query: Query): Promise<BuscarArchivosResponse> {
  const request = BuscarArchivosRequest.fromPartial({ orden: 3 });
  return createHandlers(searched).buscarArchivos({ ...request, ...query }, callContext());
}

async function search(root: string, query: Query = {}): Promise<BuscarArchivosResponse> {
  await using searched = new SearchedFolder(root);
  return await ask(searched, query);
}

/** Reads all pages. Without `between`, a stream must give the same entries. */
async function searchAll(
  root: string,
  query: Query,
  between?: () => void,
): Promise<BuscarArchivosResponse[]> {
  await using searched = new SearchedFolder(root);
  const pages: BuscarArchivosResponse[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask(searched, { ...query, cursor });
    pages.push(page);
    cursor = page.siguiente;
    if (cursor !== undefined) between?.();
  } while (cursor !== undefined);
  if (between === undefined) {
    const streamed = await stream(searched, query);
    const paged = pages.flatMap(({ archivos }) => archivos);
    expect(streamed.flatMap(({ archivos }) => archivos)).to.have.deep.members(paged);
    const { completo, indice } = pages.at(-1) ?? {};
    expect(streamed.at(-1)).to.deep.include({ total: paged.length, completo, indice });
  }
  return pages;
}

async function stream(searched: SearchedFolder, query: Query): Promise<TransmitirBusquedaResponse[]> {
  const consulta = BuscarArchivosRequest.fromPartial(query);
  const messages: TransmitirBusquedaResponse[] = [];
  const { transmitirBusqueda } = createHandlers(searched);
  if (transmitirBusqueda === undefined) throw new Error('No handler');
  for await (const message of transmitirBusqueda({ consulta }, callContext())) messages.push(message);
  return messages;
}

const pathOf = ({ entrada }: Hallazgo): string =>
  (entrada?.rutaBytes ?? Buffer.from(entrada?.ruta ?? '')).toString('hex');
const pathsOf = (found: readonly Hallazgo[]): (string | undefined)[] =>
  found.map(({ entrada }) => entrada?.ruta);

/** Makes files, and folders for paths that end with `/`. */
function plantPaths(folder: TemporaryFolder, paths: readonly string[]): void {
  for (const path of paths) {
    if (path.endsWith('/')) mkdirSync(folder.join(path), { recursive: true });
    else {
      mkdirSync(folder.join(path, '..'), { recursive: true });
      writeFileSync(folder.join(path), '');
    }
  }
}

describe('a search of a tree', () => {
  it('finds the entries of a naive reference, page by page', async () => {
    const queries = fc.record({
      tree: hostileTree,
      scope: fc.nat(),
      wanted: fc.nat(),
      part: fc.constantFrom('whole', 'one', 'nothing'),
      tipos: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3 | 4>, { maxLength: 2 }),
      ocultos: fc.boolean(),
      limite: fc.integer({ min: 1, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(queries, async ({ tree, scope, wanted, part, tipos, ocultos, limite }) => {
        using planted = plantTree(tree);
        const folders = [
          Buffer.alloc(0),
          ...tree.filter((entry) => entry.kind === 2).map((entry) => entry.path),
        ];
        const rutaBytes = folders[scope % folders.length] ?? Buffer.alloc(0);
        const below = rutaBytes.length === 0 ? '' : `${rutaBytes.toString('latin1')}/`;
        const whole = tree[wanted % Math.max(tree.length, 1)]?.name.toString() ?? '';
        const nombre = part === 'whole' ? whole : part === 'one' ? [...whole].slice(0, 1).join('') : '';
        const wantedName = nombre.normalize('NFC');
        const fits = (name: string): boolean =>
          part === 'whole' && nombre !== '' ? name === wantedName : name.startsWith(wantedName);
        const hidden = (entry: PlannedEntry): boolean =>
          entry.path
            .toString('latin1')
            .slice(below.length)
            .split('/')
            .some((name) => name.startsWith('.'));
        const expected = tree
          .filter((entry) => entry.path.toString('latin1').startsWith(below))
          .filter((entry) => ocultos || !hidden(entry))
          .filter((entry) => tipos.length === 0 || tipos.includes(entry.kind))
          .filter((entry) => fits(entry.name.toString().normalize('NFC')))
          .sort((a, b) => a.path.compare(b.path));

        const pages = await searchAll(planted.path, {
          rutaBytes,
          nombre,
          tipos,
          ocultos,
          limite,
          modo: part === 'whole' ? Modo.MODO_EXACTO : Modo.MODO_PREFIJO,
          distinguirAcentos: true,
          distinguirMayusculas: true,
        });

        const all = pages.flatMap((page) => page.archivos);
        expect(all.map(pathOf)).to.deep.equal(expected.map((entry) => entry.path.toString('hex')));
        expect(all.map(({ entrada }) => entrada?.tipo)).to.deep.equal(expected.map((entry) => entry.kind));
        for (const page of pages) expect(page).to.include({ total: expected.length, completo: true });
      }),
      { numRuns: 150 },
    );
  });

  it('sorts by the bytes of whole paths', async () => {
    using folder = new TemporaryFolder();
    plantPaths(folder, ['a/x', 'a/y/z', 'a.b/x', 'a-b', 'a0', 'b', 'Z']);
    const sorted = ['Z', 'a', 'a-b', 'a.b', 'a.b/x', 'a/x', 'a/y', 'a/y/z', 'a0', 'b'];
    expect(pathsOf((await search(folder.path)).archivos)).to.deep.equal(sorted);
    const pages = await searchAll(folder.path, { limite: 1 });
    expect(pathsOf(pages.flatMap((page) => page.archivos))).to.deep.equal(sorted);
  });

  it('finds every staying entry exactly once when others come and go between pages', async () => {
    const queries = fc.record({
      staying: fc.uniqueArray(hostileName, {
        minLength: 1,
        maxLength: 12,
        selector: (name) => name.toString('hex'),
      }),
      passing: fc.array(hostileName, { maxLength: 20 }),
      limite: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(queries, async ({ staying, passing, limite }) => {
        using folder = new TemporaryFolder();
        const keep = new Set(staying.map((name) => name.toString('hex')));
        for (const name of staying) mkdirSync(inside(folder.path, name));
        const coming = passing.filter((name) => !keep.has(name.toString('hex')));
        const going: Buffer[] = [];
        const pages = await searchAll(folder.path, { limite, ocultos: true }, () => {
          for (const name of going.splice(0, 2))
            rmSync(inside(folder.path, name), { recursive: true, force: true });
          for (const name of coming.splice(0, 2)) {
            mkdirSync(Buffer.concat([inside(folder.path, name), Buffer.from('/x')]), { recursive: true });
            going.push(name);
          }
        });
        const seen = pages.flatMap((page) => page.archivos.map(pathOf));
        expect(seen.filter((path) => keep.has(path))).to.have.members([...keep]);
        expect(new Set(seen).size, 'nothing twice').to.equal(seen.length);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves out hidden entries and entries in hidden folders without ocultos', async () => {
    using folder = new TemporaryFolder();
    plantPaths(folder, ['.git/config', 'config', 'a/.config', '.config']);
    expect(pathsOf((await search(folder.path, { nombre: 'config' })).archivos)).to.deep.equal(['config']);
    const all = ['.config', '.git/config', 'a/.config', 'config'];
    expect(pathsOf((await search(folder.path, { nombre: 'config', ocultos: true })).archivos)).to.deep.equal(
      all,
    );
    expect(pathsOf((await search(folder.path, { nombre: 'config', ruta: '.git' })).archivos)).to.deep.equal([
      '.git/config',
    ]);
  });

  it('uses the mode of the query, else glob when the name looks like one', async () => {
    using folder = new TemporaryFolder();
    plantPaths(folder, ['informe.txt', 'Informe Técnico.md', '[a].txt']);
    const find = async (query: Query): Promise<unknown> =>
      pathsOf((await search(folder.path, query)).archivos);
    expect(await find({ nombre: '*.txt' })).to.deep.equal(['[a].txt', 'informe.txt']);
    expect(await find({ nombre: '*.txt', modo: 1 })).to.deep.equal([]);
    expect(await find({ nombre: '[a]', modo: 1 })).to.deep.equal(['[a].txt']);
    expect(await find({ nombre: 'tecnico' })).to.deep.equal(['Informe Técnico.md']);
    expect(await find({ nombre: 'tecnico', distinguirAcentos: true })).to.deep.equal([]);
    expect(await find({ nombre: 'INFORME.TXT', modo: 2 })).to.deep.equal(['informe.txt']);
    expect(await find({ nombre: 'informe', distinguirMayusculas: true })).to.deep.equal(['informe.txt']);
    expect(await find({ nombre: 'informe*', modo: 3, tipos: [2] })).to.deep.equal([]);
  });

  it('reports folders that it could not read', async () => {
    using folder = new TemporaryFolder();
    plantPaths(folder, ['a/x', 'privado/x', 'b/privado/x']);
    chmodSync(folder.path, 0o755);
    for (const path of ['privado', 'b/privado']) chmodSync(folder.join(path), 0o000);
    const page = await unprivileged(() => search(folder.path, { nombre: 'x' }));
    const denied = await unprivileged(() => statusOf(search(folder.path, { ruta: 'privado' })));
    for (const path of ['privado', 'b/privado']) chmodSync(folder.join(path), 0o755);
    expect(pathsOf(page.archivos)).to.deep.equal(['a/x']);
    expect(page).to.include({ completo: false, total: 1 });
    expect(page.errores).to.deep.equal(
      ['b/privado', 'privado'].map((ruta) => ({ ruta, codigo: 'EACCES', rutaBytes: undefined })),
    );
    expect(denied).to.equal('PERMISSION_DENIED ruta-sin-permiso');
  });

  it('reports the folder above the start that may be passed but not listed, as the start is not in the index', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('home/ana/public_html/hondo'), { recursive: true });
    writeFileSync(folder.join('home/ana/public_html/hondo/x'), '');
    chmodSync(folder.path, 0o755);
    chmodSync(folder.join('home/ana'), 0o311);
    await unprivileged(async () => {
      await using searched = new SearchedFolder(folder.path);
      const errores = [{ ruta: 'home/ana', codigo: 'EACCES', rutaBytes: undefined }];
      for (const ruta of ['home/ana/public_html', 'home/ana/public_html/hondo']) {
        const page = await ask(searched, { ruta });
        expect(page).to.deep.include({ archivos: [], completo: false, errores });
        const parts = await stream(searched, { ruta });
        expect(parts.flatMap((part) => part.errores)).to.deep.equal(errores);
        expect(parts.at(-1)?.completo).to.equal(false);
      }
      expect(await statusOf(ask(searched, { ruta: 'home/ana/nada' }))).to.equal('NOT_FOUND ruta-no-existe');
    });
    chmodSync(folder.join('home/ana'), 0o755);
  });

  it('searches deep trees, and reports the first path that is too long', async () => {
    using folder = new TemporaryFolder();
    const start = process.cwd();
    try {
      // Step by step, because the system refuses paths of this length. The siblings `e` are read after their folder was closed.
      process.chdir(folder.path);
      for (let depth = 0; depth < 2100; depth++) {
        mkdirSync('d');
        if (depth % 100 === 50) mkdirSync('e');
        process.chdir('d');
      }
    } finally {
      process.chdir(start);
    }
    const page = await search(folder.path, { nombre: 'e' });
    const tooDeep = `${'d/'.repeat(2048)}d`; // 4097 bytes
    expect(page.archivos.at(-1)?.entrada?.ruta).to.equal(`${'d/'.repeat(50)}e`);
    expect(page).to.include({ total: 20, completo: false });
    expect(page.errores).to.deep.equal([{ ruta: tooDeep, codigo: 'ENAMETOOLONG', rutaBytes: undefined }]);
  });

  describe('its request', () => {
    const bad: [string, Query, string][] = [
      ['an unknown mode', { modo: -1 }, 'INVALID_ARGUMENT modo-no-valido'],
      ['an unknown type', { tipos: [99 as 0] }, 'INVALID_ARGUMENT tipo-no-valido'],
      ['a page that is too large', { limite: 10_001 }, 'INVALID_ARGUMENT limite-no-valido'],
      ['a malformed pattern', { nombre: 'a[', modo: 3 }, 'INVALID_ARGUMENT patron-no-valido'],
      [
        'a name of more than 1024 bytes',
        { nombre: 'x'.repeat(10_000) },
        'INVALID_ARGUMENT nombre-demasiado-largo',
      ],
      ['a path that climbs', { ruta: '..' }, 'INVALID_ARGUMENT ruta-no-valida'],
      ['a malformed cursor', { cursor: 'AAAA' }, 'INVALID_ARGUMENT cursor-no-valido'],
      ['a folder that does not exist', { ruta: 'nada' }, 'NOT_FOUND ruta-no-existe'],
      ['a file', { ruta: 'archivo' }, 'INVALID_ARGUMENT no-es-carpeta'],
      ['a link to a folder', { ruta: 'enlace' }, 'INVALID_ARGUMENT no-es-carpeta'],
    ];
    for (const [fault, query, status] of bad) {
      it(`is refused with ${status} for ${fault}`, async () => {
        using folder = new TemporaryFolder();
        plantPaths(folder, ['archivo', 'carpeta/x']);
        symlinkSync('carpeta', folder.join('enlace'));
        expect(await statusOf(search(folder.path, query))).to.equal(status);
      });
    }

    it('is refused with UNAVAILABLE when the root is missing', async () => {
      using folder = new TemporaryFolder();
      expect(await statusOf(search(folder.join('nada')))).to.equal('UNAVAILABLE raiz-no-disponible');
    });

    it('is refused when its cursor belongs to another query', async () => {
      using folder = new TemporaryFolder();
      plantPaths(folder, ['a1', 'a2', 'b/a3']);
      const { siguiente: cursor } = await search(folder.path, { nombre: 'a', limite: 1 });
      const others: Query[] = [
        { nombre: 'b' },
        { modo: 2 },
        { ruta: 'b' },
        { ocultos: true },
        { tipos: [1] },
        { distinguirAcentos: true },
        { distinguirMayusculas: true },
      ];
      for (const other of others) {
        const status = await statusOf(search(folder.path, { nombre: 'a', ...other, cursor }));
        expect(status).to.equal('INVALID_ARGUMENT cursor-no-valido');
      }
      expect(pathsOf((await search(folder.path, { nombre: 'a', modo: 1, cursor })).archivos)).to.deep.equal([
        'a2',
        'b/a3',
      ]);
    });
  });

  it('rejects with the reason of its signal when that is aborted', async () => {
    using folder = new TemporaryFolder();
    plantPaths(folder, ['a/b/c']);
    await using searched = new SearchedFolder(folder.path);
    const abort = new AbortController();
    const reason = new Error('gone');
    abort.abort(reason);
    const searching = createHandlers(searched).buscarArchivos(
      BuscarArchivosRequest.fromPartial({}),
      callContext(abort.signal),
    );
    expect(await searching.catch((error: unknown) => error)).to.equal(reason);
  });
});
