import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { nativeJail } from '../../../filesystem/jail.ts';
import { openRoot } from '../../../filesystem/root.ts';
import { createHandlers } from '../../../mserv1/handlers.ts';
import type { Entrada } from '../../../proto/gen/archivos/v1/entrada.ts';
import { ListarArchivosRequest, RecorrerArchivosRequest } from '../../../proto/gen/archivos/v1/listado.ts';
import { hostileTree, inside, outside, plantTree } from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { unprivileged } from '../../support/processes/unprivileged.ts';
import { callContext } from '../../support/services/call-context.ts';
import {
  listAll as allPagesOf,
  list as pageOf,
  type Query,
  references,
} from '../../support/services/listings.ts';
import { statusOf } from '../../support/services/status-of.ts';

const list: typeof pageOf = (root, query, signal) => pageOf(root, { recursivo: true, ...query }, signal);
const listAll: typeof allPagesOf = (root, query, between) =>
  allPagesOf(root, { recursivo: true, ...query }, between);

const pathOf = (entry: Entrada): Buffer => entry.rutaBytes ?? Buffer.from(entry.ruta);
const hexOf = (paths: readonly Buffer[]): string[] => paths.map((path) => path.toString('hex'));

/** The parts of a path below a folder; undefined when the path is not below it. */
function partsBelow(folder: Buffer, path: Buffer): Buffer[] | undefined {
  const from = folder.length === 0 ? 0 : folder.length + 1;
  if (path.length <= folder.length || !path.subarray(0, folder.length).equals(folder)) return undefined;
  if (from > 0 && path[from - 1] !== 0x2f) return undefined;
  return path
    .subarray(from)
    .toString('latin1')
    .split('/')
    .map((part) => Buffer.from(part, 'latin1'));
}

describe('a recursive listing', () => {
  describe('its pages', () => {
    for (const [orden, reference] of Object.entries(references)) {
      it(`equal a sort of all entries in order ${orden}`, async () => {
        const queries = fc.record({
          tree: hostileTree,
          folder: fc.nat(),
          profundidad: fc.constantFrom(0, 0, 1, 2, 3),
          tipos: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3 | 4>),
          ocultos: fc.boolean(),
          descendente: fc.boolean(),
          limite: fc.integer({ min: 1, max: 7 }),
        });
        await fc.assert(
          fc.asyncProperty(queries, async ({ tree, folder, descendente, ...query }) => {
            using planted = plantTree(tree);
            const folders = [
              Buffer.alloc(0),
              ...tree.filter((entry) => entry.kind === 2).map((entry) => entry.path),
            ];
            const rutaBytes = folders[folder % folders.length] ?? Buffer.alloc(0);
            const { tipos, ocultos, profundidad } = query;
            const expected = tree
              .filter((entry) => {
                const parts = partsBelow(rutaBytes, entry.path);
                if (parts === undefined || (profundidad > 0 && parts.length > profundidad)) return false;
                return ocultos || parts.every((part) => part[0] !== 0x2e);
              })
              .filter((entry) => tipos.length === 0 || tipos.includes(entry.kind))
              .sort((a, b) => (descendente ? -1 : 1) * reference(a, b) || a.path.compare(b.path));

            const all = await listAll(planted.path, {
              ...query,
              rutaBytes,
              descendente,
              orden: Number(orden) as 0,
            });

            expect(hexOf(all.map(pathOf))).to.deep.equal(hexOf(expected.map((entry) => entry.path)));
          }),
          { numRuns: 60 },
        );
      });
    }

    it('equal one large page cut into pieces in natural order', async () => {
      await fc.assert(
        fc.asyncProperty(
          hostileTree,
          fc.integer({ min: 1, max: 5 }),
          fc.boolean(),
          async (tree, limite, descendente) => {
            using planted = plantTree(tree);
            const whole = await list(planted.path, { orden: 2, descendente, ocultos: true });
            const pages = await listAll(planted.path, { orden: 2, descendente, ocultos: true, limite });
            expect(pages).to.deep.equal(whole.archivos);
            expect(whole.archivos).to.have.lengthOf(tree.length);
          },
        ),
        { numRuns: 40 },
      );
    });
  });

  it('has every staying entry exactly once when folders come and go between its pages', async () => {
    const queries = fc.record({
      staying: hostileTree,
      passing: fc.array(fc.nat(9), { maxLength: 20 }),
      orden: fc.constantFrom(0, 1, 2, 3, 4, 5, 6) as fc.Arbitrary<0>,
      descendente: fc.boolean(),
      limite: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(queries, async ({ staying, passing, ...query }) => {
        using planted = plantTree(staying);
        const keep = new Set(hexOf(staying.map((entry) => entry.path)));
        const coming = [...passing];
        const all = await listAll(planted.path, { ...query, ocultos: true }, () => {
          // A folder with a file in it appears and is moved; a later step removes it.
          const number = coming.pop();
          if (number === undefined) return;
          const [here, there] = [planted.join(`zz pasa ${number}`), planted.join(`aa pasa ${number}`)];
          rmSync(there, { recursive: true, force: true });
          mkdirSync(`${here}/dentro`, { recursive: true });
          writeFileSync(`${here}/dentro/x`, 'xx');
          renameSync(here, there);
        });
        const paths = hexOf(all.map(pathOf));
        // Steps change the root, which is not listed, so the times of the staying folders do not change.
        const stayed = paths.filter((path) => keep.has(path));
        expect(stayed).to.have.members([...keep]);
        expect(stayed).to.have.lengthOf(keep.size);
      }),
      { numRuns: 60 },
    );
  });

  it('follows no link, and enters hidden folders only with ocultos', async () => {
    using folder = new TemporaryFolder();
    for (const path of ['a/b', '.oculta/dentro', 'a/.oculta'])
      mkdirSync(folder.join(path), { recursive: true });
    symlinkSync('..', folder.join('a', 'arriba'));
    symlinkSync(outside(), folder.join('fuera'));
    const paths = async (query: Query) =>
      (await list(folder.path, query)).archivos.map((entry) => entry.ruta);
    expect(await paths({})).to.have.members(['a', 'a/arriba', 'a/b', 'fuera']);
    expect(await paths({ ocultos: true })).to.have.members([
      '.oculta',
      '.oculta/dentro',
      'a',
      'a/.oculta',
      'a/arriba',
      'a/b',
      'fuera',
    ]);
  });

  it('goes down with a depth alone, and to the end with recursivo alone', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a', 'b', 'c'), { recursive: true });
    const count = async (query: Query) => (await list(folder.path, query)).archivos.length;
    expect(await count({ recursivo: false })).to.equal(1);
    expect(await count({ recursivo: false, profundidad: 2 })).to.equal(2);
    expect(await count({ profundidad: 1 })).to.equal(1);
    expect(await count({})).to.equal(3);
  });

  it('reports a folder once that can be neither looked at nor opened', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a', 'b'), { recursive: true });
    chmodSync(folder.path, 0o755);
    // Its names may be read, but nothing in it may be reached.
    chmodSync(folder.join('a'), 0o444);
    await unprivileged(async () => {
      const page = await list(folder.path, {});
      expect(page).to.deep.include({ completo: false });
      expect(page.errores).to.deep.equal([{ ruta: 'a/b', codigo: 'EACCES', rutaBytes: undefined }]);
    });
    chmodSync(folder.join('a'), 0o755);
  });

  it('refuses the cursor of another depth', async () => {
    using folder = new TemporaryFolder();
    for (const name of ['a', 'b', 'c']) mkdirSync(folder.join(name, 'x'), { recursive: true });
    const { siguiente: cursor } = await list(folder.path, { limite: 1 });
    for (const profundidad of [1, 2]) {
      expect(await statusOf(list(folder.path, { limite: 1, profundidad, cursor }))).to.equal(
        'INVALID_ARGUMENT cursor-no-valido',
      );
    }
    expect((await list(folder.path, { limite: 1, cursor })).archivos).to.have.lengthOf(1);
  });

  it('rejects with the reason of its signal when that aborts', async () => {
    using folder = new TemporaryFolder();
    for (let i = 0; i < 300; i++) mkdirSync(folder.join(`a${i}`, 'b', 'c'), { recursive: true });
    const abort = new AbortController();
    const reason = new Error('gone');
    const listing = list(folder.path, {}, abort.signal);
    abort.abort(reason);
    expect(await listing.catch((error: unknown) => error)).to.equal(reason);
  });

  describe('of a tree of 800 levels', () => {
    const levels = 800;
    const letters = Array.from({ length: levels }, (_, level) => 'kqbxtaz'[level % 7]);

    it('opens at most four folders per entry, sorted and streamed, in every order', async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join(letters.join('/')), { recursive: true });
      let opened = 0;
      const root = openRoot(folder.path, {
        enterRoot: (path) => nativeJail.enterRoot(path),
        enter: (path, place, name) => {
          opened++;
          return nativeJail.enter(path, place, name);
        },
      });
      const handlers = createHandlers(root);
      for (const orden of [1, 2, 3, 4, 5] as const) {
        opened = 0;
        const request = { ...ListarArchivosRequest.create({ recursivo: true }), orden };
        const page = await handlers.listarArchivos(request, callContext());
        expect(page.archivos).to.have.lengthOf(levels);
        expect(page.completo).to.equal(true);
        const streamed: Entrada[] = [];
        const walk = { ...RecorrerArchivosRequest.create({ recursivo: true }), orden };
        for await (const { archivos } of handlers.recorrerArchivos?.(walk, callContext()) ?? [])
          streamed.push(...archivos);
        expect(streamed).to.deep.equal(page.archivos);
        expect(opened, `order ${orden}`).to.be.at.most(2 * 4 * levels);
      }
    });

    it('takes at most 20 times as long with a link in every folder as a flat folder of as many links', async () => {
      using deep = new TemporaryFolder();
      using flat = new TemporaryFolder();
      mkdirSync(deep.join(letters.join('/')), { recursive: true });
      for (let level = 0; level < levels; level++) {
        symlinkSync('.', deep.join([...letters.slice(0, level), 'enlace'].join('/')));
        symlinkSync('.', flat.join(`enlace${level}`));
      }
      const took = async (path: string) => {
        const began = performance.now();
        const { archivos } = await list(path, { tipos: [3], limite: 1000 });
        expect(archivos.map(({ destino }) => destino))
          .to.have.lengthOf(levels)
          .and.not.include(undefined);
        return performance.now() - began;
      };
      const flatMs = await took(flat.path);
      expect(await took(deep.path)).to.be.at.most(20 * flatMs + 200);
    });
  });

  it('has the path as bytes when only a folder above is not UTF-8', async () => {
    using folder = new TemporaryFolder();
    const bad = Buffer.from([0x61, 0xff]);
    mkdirSync(inside(folder.path, bad));
    writeFileSync(inside(folder.path, Buffer.concat([bad, Buffer.from('/x')])), '');
    const { archivos } = await list(folder.path, { tipos: [1] });
    expect(archivos[0]?.nombreBytes).to.equal(undefined);
    expect(archivos[0]?.rutaBytes).to.deep.equal(Buffer.concat([bad, Buffer.from('/x')]));
  });
});
