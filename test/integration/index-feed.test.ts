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

describe('The change feed of mserv2', () => {
  const changes: Readonly<Record<string, (root: string) => void>> = {
    'a new file in another folder': (root) => writeFileSync(join(root, 'z/nuevo'), ''),
    'a file that grows': (root) => appendFileSync(join(root, 'a/b/fichero'), 'x'),
    'a file that is touched': (root) => utimesSync(join(root, 'a/b/fichero'), 1, 1),
    'a file that is deleted': (root) => rmSync(join(root, 'a/b/fichero')),
    'a folder that is moved': (root) => renameSync(join(root, 'a'), join(root, 'z/a')),
    'changed permissions, which the index does not hold': (root) => chmodSync(join(root, 'a/b'), 0o700),
    'a folder that is replaced': (root) => {
      renameSync(join(root, 'a/b'), join(root, 'z/b'));
      mkdirSync(join(root, 'a/b'));
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`reports ${name}, with a clock above that of an earlier answer`, async () => {
      using folder = tree();
      await using it = new WatchedSearches(folder.path);
      let before = await it.searchWatched({ nombre: 'fichero' });
      expect(before.archivos.map(({ entrada }) => entrada?.ruta)).to.deep.equal(['a/b/fichero']);
      // On a busy machine the feed may first invalidate an answer without a change.
      await eventually(async () => {
        before = await it.searchWatched({ nombre: 'fichero' });
        await it.heartbeat();
        return !it.isReported(before);
      });
      change(folder.path);
      await it.heartbeat();
      expect(it.isReported(before)).to.equal(true);
    });
  }

  it('reports that everything changed when a link to the root points elsewhere', async () => {
    using folder = tree();
    symlinkSync('a', folder.join('raíz'));
    await using it = new WatchedSearches(folder.join('raíz'));
    const before = await it.searchWatched();
    rmSync(folder.join('raíz'));
    symlinkSync('z', folder.join('raíz'));
    await it.heartbeat();
    expect(it.isReported(before)).to.equal(true);
    expect(it.messages.some(({ todo }) => todo)).to.equal(true);
  });

  it('reports a change that only a search finds: a write through a hard link elsewhere', async () => {
    using folder = tree();
    using elsewhere = new TemporaryFolder();
    writeFileSync(elsewhere.join('otra'), '');
    linkSync(elsewhere.join('otra'), folder.join('z/aquí'));
    await using it = new WatchedSearches(folder.path);
    const other = await it.searchWatched({ nombre: 'fichero' });
    appendFileSync(elsewhere.join('otra'), 'xx');
    const found = await it.search({ bytesMin: 1, tipos: [Tipo.TIPO_ARCHIVO] });
    expect(found).to.include({ total: 2, vigencia: undefined });
    await it.heartbeat();
    expect(it.isReported(other)).to.equal(true);
  });

  it('gives no validity to queued searches, nor while it has no listener', async () => {
    using folder = tree();
    const it = new WatchedSearches(folder.path);
    await it.searchWatched();
    expect((await it.search({}, { queued: true })).vigencia).to.equal(undefined);
    it.stopListening();
    await eventually(async () => (await it.search()).vigencia === undefined);
    await it[Symbol.asyncDispose]();
  });

  const doubtful: Readonly<Record<string, (root: string) => void>> = {
    'shows a file with a second name': (root) => linkSync(join(root, 'a/b/fichero'), join(root, 'z/fichero')),
    'shows the target of a link': (root) => symlinkSync('nada', join(root, 'z/fichero')),
  };
  for (const [why, plant] of Object.entries(doubtful)) {
    it(`gives no validity to a page that ${why}`, async () => {
      using folder = tree();
      plant(folder.path);
      await using it = new WatchedSearches(folder.path);
      await it.searchWatched({ nombre: 'b', modo: 2 });
      for (let n = 0; n < 3; n++)
        expect((await it.search({ nombre: 'fichero' })).vigencia).to.equal(undefined);
    });
  }

  it('gives no validity beyond the watch limit, and reports the reason to every listener', async () => {
    using folder = tree();
    await using it = new WatchedSearches(folder.path, { watches: 6 });
    await it.ready();
    await eventually(() => it.messages.some(({ noVigiladas }) => noVigiladas.length > 0));
    expect((await it.search()).vigencia).to.equal(undefined);
    const [reason] = it.messages.flatMap(({ noVigiladas }) => noVigiladas);
    expect(reason?.motivo).to.equal(Motivo.MOTIVO_LIMITE);
    expect((await it.firstMessage()).noVigiladas).to.deep.equal([reason]);
  });

  it('gives no validity on a file system without change events, and reports the reason', async () => {
    expect(statfsSync('/proc').type).to.equal(0x9fa0);
    await using it = new WatchedSearches('/proc/sys/kernel/keys');
    await it.ready();
    await eventually(() => it.messages.some(({ noVigiladas }) => noVigiladas.length > 0));
    expect(it.messages.flatMap(({ noVigiladas }) => noVigiladas)).to.deep.equal([
      { carpeta: '', motivo: Motivo.MOTIVO_SIN_EVENTOS },
    ]);
    expect((await it.search()).vigencia).to.equal(undefined);
  });

  it('leaves no cached answer that differs from a new search, after any changes', async () => {
    const anyPath = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'a/b/a', 'b/b');
    const anyStep = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('use' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constantFrom('write', 'folder', 'remove', 'chmod', 'move', 'link', 'name', 'outside'),
          at: anyPath,
          to: anyPath,
        }),
      },
    );
    let served = 0;
    const holds = fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 40 }), async (list) => {
      using folder = tree();
      using elsewhere = new TemporaryFolder();
      writeFileSync(elsewhere.join('otra'), '');
      await using it = new WatchedSearches(folder.path, {}, 2);
      await it.ready();
      const { siguiente: cursor } = await it.search({ limite: 1, orden: OrdenBusqueda.ORDEN_BUSQUEDA_RUTA });
      const queries = [...fixed, { limite: 1, orden: OrdenBusqueda.ORDEN_BUSQUEDA_RUTA, cursor }];
      const look = async (): Promise<void> => {
        // A search may find a change that invalidates other answers.
        for (const query of queries) await it.search(query).catch(() => undefined);
        await it.heartbeat();
        for (const [query, kept] of [...it.cached]) {
          served += 1;
          const now = await it.search(query);
          expect({ ...kept, vigencia: 0 }, JSON.stringify(query)).to.deep.equal({ ...now, vigencia: 0 });
        }
      };
      for (const step of list) {
        if (step.do === 'look') await look();
        else if (step.do === 'use')
          await Promise.all(queries.map((query) => it.searchCached(query).catch(() => undefined)));
        else change(folder.path, elsewhere.join('otra'), step);
      }
      await look();
    });
    await fc.assert(holds, { numRuns: 15 });
    // Too few comparisons would prove nothing; their number varies with the random changes.
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

/** Applies a change; ignores one that the file system refuses. */
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
