import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { OrdenBusqueda } from '../../proto/gen/archivos/v1/busqueda.ts';
import { Tipo } from '../../proto/gen/archivos/v1/entrada.ts';
import { Motivo } from '../../proto/gen/archivos/v1/vigilancia.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { type Query, WatchedSearches } from '../support/index/watched-searches.ts';
import { eventually } from '../support/processes/eventually.ts';

describe("the feed of mserv2's index", () => {
  const changes: Readonly<Record<string, (root: string) => void>> = {
    'a new file, far from what was found': (root) => writeFileSync(join(root, 'z/nuevo'), ''),
    'a file that grows': (root) => appendFileSync(join(root, 'a/b/fichero'), 'x'),
    'a file that is touched': (root) => utimesSync(join(root, 'a/b/fichero'), 1, 1),
    'a file that is deleted': (root) => rmSync(join(root, 'a/b/fichero')),
    'a folder that is moved': (root) => renameSync(join(root, 'a'), join(root, 'z/a')),
    'permissions, which the index does not know of': (root) => chmodSync(join(root, 'a/b'), 0o700),
    'a folder that is another one now': (root) => {
      renameSync(join(root, 'a/b'), join(root, 'z/b'));
      mkdirSync(join(root, 'a/b'));
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`tells of ${what}, with a number above that of what was found before`, async () => {
      using folder = tree();
      await using it = new WatchedSearches(folder.path);
      let before = await it.watch({ nombre: 'fichero' });
      expect(before.archivos.map(({ entrada }) => entrada?.ruta)).to.deep.equal(['a/b/fichero']);
      // On a busy machine it may say once or twice that it does not know.
      await eventually(async () => {
        before = await it.watch({ nombre: 'fichero' });
        await it.beat();
        return !it.toldOf(before);
      });
      change(folder.path);
      await it.beat();
      expect(it.toldOf(before)).to.equal(true);
    });
  }

  it('tells that everything changed when the root is another folder, over whatever links', async () => {
    using folder = tree();
    symlinkSync('a', folder.join('raíz'));
    await using it = new WatchedSearches(folder.join('raíz'));
    const before = await it.watch();
    rmSync(folder.join('raíz'));
    symlinkSync('z', folder.join('raíz'));
    await it.beat();
    expect(it.toldOf(before)).to.equal(true);
    expect(it.heard.some(({ todo }) => todo)).to.equal(true);
  });

  it('tells of what an answer has found out without an event: a file was written by its name elsewhere', async () => {
    using folder = tree();
    using elsewhere = new TemporaryFolder();
    writeFileSync(elsewhere.join('otra'), '');
    linkSync(elsewhere.join('otra'), folder.join('z/aquí'));
    await using it = new WatchedSearches(folder.path);
    const small = await it.watch({ bytesMin: 1, tipos: [Tipo.TIPO_ARCHIVO] });
    expect(small.total).to.equal(1);
    appendFileSync(elsewhere.join('otra'), 'xx');
    expect((await it.search({ nombre: 'aquí' })).archivos[0]?.entrada?.bytes).to.equal(2);
    await it.beat();
    expect(it.toldOf(small)).to.equal(true);
    expect((await it.search({ bytesMin: 1, tipos: [Tipo.TIPO_ARCHIVO] })).total).to.equal(2);
  });

  it('vouches for nothing from the queue, nor while nobody listens', async () => {
    using folder = tree();
    const it = new WatchedSearches(folder.path);
    await it.watch();
    expect((await it.search({}, { queued: true })).vigencia).to.equal(undefined);
    it.leave();
    await eventually(async () => (await it.search()).vigencia === undefined);
    await it[Symbol.asyncDispose]();
  });

  const doubtful: Readonly<Record<string, (root: string) => void>> = {
    'shows a file that has another name': (root) =>
      linkSync(join(root, 'a/b/fichero'), join(root, 'z/fichero')),
    'shows where a link points': (root) => symlinkSync('nada', join(root, 'z/fichero')),
  };
  for (const [why, plant] of Object.entries(doubtful)) {
    it(`does not vouch for a page that ${why}, but for others`, async () => {
      using folder = tree();
      plant(folder.path);
      await using it = new WatchedSearches(folder.path);
      await it.watch({ nombre: 'b', modo: 2 });
      for (let n = 0; n < 3; n++)
        expect((await it.search({ nombre: 'fichero' })).vigencia).to.equal(undefined);
    });
  }

  it('vouches for nothing, and says why, when there is no room for all watches: also to who listens later', async () => {
    using folder = tree();
    await using it = new WatchedSearches(folder.path, { watches: 6 });
    await it.ready();
    await eventually(() => it.heard.some(({ noVigiladas }) => noVigiladas.length > 0));
    expect((await it.search()).vigencia).to.equal(undefined);
    const [told] = it.heard.flatMap(({ noVigiladas }) => noVigiladas);
    expect(told?.motivo).to.equal(Motivo.MOTIVO_LIMITE);
    expect((await it.first()).noVigiladas).to.deep.equal([told]);
  });

  it('vouches for nothing, and says why, on a file system that does not tell of changes', async () => {
    expect(statfsSync('/proc').type).to.equal(0x9fa0);
    await using it = new WatchedSearches('/proc/sys/kernel/keys');
    await it.ready();
    await eventually(() => it.heard.some(({ noVigiladas }) => noVigiladas.length > 0));
    expect(it.heard.flatMap(({ noVigiladas }) => noVigiladas)).to.deep.equal([
      { carpeta: '', motivo: Motivo.MOTIVO_SIN_EVENTOS },
    ]);
    expect((await it.search()).vigencia).to.equal(undefined);
  });

  it('keeps nothing that is not so, whatever happens to the tree (against searching anew)', async () => {
    const place = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'a/b/a', 'b/b');
    const act = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('use' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constantFrom('write', 'folder', 'remove', 'chmod', 'move', 'link', 'name', 'outside'),
          at: place,
          to: place,
        }),
      },
    );
    let served = 0;
    const holds = fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40 }), async (list) => {
      using folder = tree();
      using elsewhere = new TemporaryFolder();
      writeFileSync(elsewhere.join('otra'), '');
      await using it = new WatchedSearches(folder.path, {}, 2);
      await it.ready();
      const { siguiente: cursor } = await it.search({ limite: 1, orden: OrdenBusqueda.ORDEN_BUSQUEDA_RUTA });
      const queries = [...fixed, { limite: 1, orden: OrdenBusqueda.ORDEN_BUSQUEDA_RUTA, cursor }];
      const look = async (): Promise<void> => {
        // What they find out makes other answers, too.
        for (const query of queries) await it.search(query).catch(() => undefined);
        await it.beat();
        for (const [query, kept] of [...it.kept]) {
          served += 1;
          const now = await it.search(query);
          expect({ ...kept, vigencia: 0 }, JSON.stringify(query)).to.deep.equal({ ...now, vigencia: 0 });
        }
      };
      for (const step of list) {
        if (step.do === 'look') await look();
        else if (step.do === 'use')
          await Promise.all(queries.map((query) => it.use(query).catch(() => undefined)));
        else change(folder.path, elsewhere.join('otra'), step);
      }
      await look();
    });
    await fc.assert(holds, { numRuns: 15 });
    // Else nothing was compared. How often depends on what chance did to the tree.
    expect(served).to.be.greaterThan(20);
  });
});

const fixed: readonly Query[] = [
  {},
  { nombre: 'a' },
  { nombre: 'fich*', ocultos: true },
  { ruta: 'a' },
  { ruta: 'a/b', tipos: [Tipo.TIPO_ARCHIVO] },
  { bytesMin: 2, tipos: [Tipo.TIPO_ARCHIVO] },
  { orden: OrdenBusqueda.ORDEN_BUSQUEDA_BYTES, descendente: true, limite: 1 },
  { orden: OrdenBusqueda.ORDEN_BUSQUEDA_MODIFICADO, descendente: true, limite: 2 },
];

function tree(): TemporaryFolder {
  const folder = new TemporaryFolder();
  mkdirSync(folder.join('a/b'), { recursive: true });
  mkdirSync(folder.join('z'));
  writeFileSync(folder.join('a/b/fichero'), 'x');
  return folder;
}

/** What the system refuses does not happen. */
function change(
  root: string,
  outside: string,
  step: { readonly do: string; readonly at: string; readonly to: string },
): void {
  const at = join(root, step.at);
  try {
    if (step.do === 'write') appendFileSync(at, 'x');
    if (step.do === 'folder') mkdirSync(at);
    if (step.do === 'remove') rmSync(at, { recursive: true });
    if (step.do === 'chmod') chmodSync(at, 0o700);
    if (step.do === 'move') renameSync(at, join(root, step.to));
    if (step.do === 'link') symlinkSync(step.to, at);
    if (step.do === 'name') linkSync(outside, at);
    if (step.do === 'outside') appendFileSync(outside, 'x');
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
