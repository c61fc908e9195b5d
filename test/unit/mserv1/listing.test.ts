import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { openRoot } from '../../../filesystem/root.ts';
import { createHandlers } from '../../../mserv1/handlers.ts';
import type { Entrada } from '../../../proto/gen/archivos/v1/entrada.ts';
import {
  ListarArchivosRequest,
  type ListarArchivosResponse,
} from '../../../proto/gen/archivos/v1/listado.ts';
import { hostileName, hostileTree, inside, plantTree } from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { unprivileged } from '../../support/processes/unprivileged.ts';
import { callContext } from '../../support/services/call-context.ts';
import { list, listAll, type Query, references } from '../../support/services/listings.ts';
import { statusOf } from '../../support/services/status-of.ts';

const nameOf = (entry: Entrada): Buffer => entry.nombreBytes ?? Buffer.from(entry.nombre);
const namesOf = (entries: readonly Entrada[]): string[] => entries.map((entry) => entry.nombre);
const hexOf = (names: readonly Buffer[]): string[] => names.map((name) => name.toString('hex'));

describe('a listing of a folder', () => {
  describe('its pages', () => {
    for (const [orden, reference] of Object.entries(references)) {
      it(`equal a sort of all entries in order ${orden}`, async () => {
        const queries = fc.record({
          tree: hostileTree,
          folder: fc.nat(),
          tipos: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3 | 4>),
          ocultos: fc.boolean(),
          descendente: fc.boolean(),
          limite: fc.integer({ min: 1, max: 7 }),
        });
        await fc.assert(
          fc.asyncProperty(queries, async ({ tree, folder, limite, descendente, ...filters }) => {
            using planted = plantTree(tree);
            const folders = [
              Buffer.alloc(0),
              ...tree.filter((entry) => entry.kind === 2).map((entry) => entry.path),
            ];
            const rutaBytes = folders[folder % folders.length] ?? Buffer.alloc(0);
            const { tipos, ocultos } = filters;
            const expected = tree
              .filter((entry) => entry.parent.equals(rutaBytes))
              .filter((entry) => tipos.length === 0 || tipos.includes(entry.kind))
              .filter((entry) => ocultos || entry.name[0] !== 0x2e)
              .sort((a, b) => (descendente ? -1 : 1) * reference(a, b) || a.name.compare(b.name));

            const all = await listAll(planted.path, {
              rutaBytes,
              ocultos,
              tipos,
              limite,
              descendente,
              orden: Number(orden) as 0,
            });

            expect(hexOf(all.map(nameOf))).to.deep.equal(hexOf(expected.map((entry) => entry.name)));
            for (const [index, { kind, size: bytes, modifiedMs, path }] of expected.entries()) {
              const entry = all[index];
              expect(entry?.tipo).to.equal(kind);
              expect(entry?.modificado?.getTime()).to.equal(modifiedMs);
              expect(entry?.rutaBytes ?? Buffer.from(entry?.ruta ?? '')).to.deep.equal(path);
              if (kind === 1) expect(entry?.bytes).to.equal(bytes);
              if (kind === 2) expect(entry?.bytes).to.equal(undefined);
            }
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
            expect(whole.archivos).to.have.lengthOf(tree.filter((entry) => entry.parent.length === 0).length);
          },
        ),
        { numRuns: 40 },
      );
    });
  });

  it('has every staying entry exactly once when others come and go between its pages', async () => {
    const queries = fc.record({
      staying: fc.uniqueArray(hostileName, {
        minLength: 1,
        maxLength: 15,
        selector: (name) => name.toString('hex'),
      }),
      passing: fc.array(hostileName, { maxLength: 30 }),
      orden: fc.constantFrom(0, 1, 2, 3, 4, 5, 6) as fc.Arbitrary<0>,
      descendente: fc.boolean(),
      limite: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(queries, async ({ staying, passing, ...query }) => {
        using folder = new TemporaryFolder();
        const keep = new Set(hexOf(staying));
        for (const name of staying) writeFileSync(inside(folder.path, name), '');
        const coming = passing.filter((name) => !keep.has(name.toString('hex')));
        const going: Buffer[] = [];
        const all = await listAll(folder.path, { ...query, ocultos: true }, () => {
          for (const name of going.splice(0, 2)) rmSync(inside(folder.path, name), { force: true });
          for (const name of coming.splice(0, 3)) {
            writeFileSync(inside(folder.path, name), 'passing');
            going.push(name);
          }
        });
        const seen = hexOf(all.map(nameOf));
        expect(seen.filter((name) => keep.has(name))).to.have.members([...keep]);
        expect(new Set(seen).size, 'nothing twice').to.equal(seen.length);
      }),
      { numRuns: 60 },
    );
  });

  describe('its entry', () => {
    it('has a name, path, type and time, and a size unless it is a folder', async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('2026'));
      writeFileSync(folder.join('2026', 'Informe Técnico.pdf'), 'x'.repeat(20_480));
      mkdirSync(folder.join('2026', 'sub'));
      const when = new Date('2026-11-20T10:00:00.123Z');
      for (const name of ['Informe Técnico.pdf', 'sub']) utimesSync(folder.join('2026', name), when, when);
      const { archivos, completo, errores, siguiente } = await list(folder.path, { ruta: '2026' });
      const common = { modificado: when, destino: undefined, nombreBytes: undefined, rutaBytes: undefined };
      expect(archivos).to.deep.equal([
        {
          nombre: 'Informe Técnico.pdf',
          ruta: '2026/Informe Técnico.pdf',
          tipo: 1,
          bytes: 20_480,
          ...common,
        },
        { nombre: 'sub', ruta: '2026/sub', tipo: 2, bytes: undefined, ...common },
      ]);
      expect({ completo, errores, siguiente }).to.deep.equal({
        completo: true,
        errores: [],
        siguiente: undefined,
      });
    });

    it('has its name and path as bytes too when they are not UTF-8', async () => {
      using folder = new TemporaryFolder();
      const name = Buffer.from([0x61, 0xff]);
      mkdirSync(inside(folder.path, name));
      writeFileSync(Buffer.concat([inside(folder.path, name), Buffer.from('/ñ')]), '');
      const [entry] = (await list(folder.path)).archivos;
      expect(entry).to.include({ nombre: 'a\ufffd', ruta: 'a\ufffd' });
      expect([entry?.nombreBytes, entry?.rutaBytes]).to.deep.equal([name, name]);
      const [below] = (await list(folder.path, { rutaBytes: name })).archivos;
      expect(below).to.include({ nombre: 'ñ', ruta: 'a\ufffd/ñ', nombreBytes: undefined });
      expect(below?.rutaBytes).to.deep.equal(Buffer.concat([name, Buffer.from('/ñ')]));
    });

    // tmpfs allows sizes and times that ext4 refuses.
    it('has no size and no time when they are beyond what the protocol can hold', async function () {
      if (!existsSync('/dev/shm')) this.skip();
      using folder = new TemporaryFolder('/dev/shm');
      writeFileSync(folder.join('enorme'), '');
      execFileSync('truncate', ['--size', '4E', folder.join('enorme')]); // Node stops at 8 PiB
      utimesSync(folder.join('enorme'), 1e12, 1e12);
      const [entry] = (await list(folder.path)).archivos;
      expect(entry).to.include({ nombre: 'enorme', bytes: undefined, modificado: undefined });
    });
  });

  describe('its natural order', () => {
    it('sorts numbers by value, accents beside their letters and ñ after n', async () => {
      using folder = new TemporaryFolder();
      const names = [
        'arbol',
        'árbol',
        'Árbol1',
        'nz',
        'ña',
        'oa',
        'parte1',
        'parte2',
        'parte002',
        'parte10',
        'parte10a',
      ];
      for (const name of names.toReversed()) writeFileSync(folder.join(name), '');
      const sorted = [
        'arbol',
        'árbol',
        'Árbol1',
        'nz',
        'ña',
        'oa',
        'parte1',
        'parte002',
        'parte2',
        'parte10',
        'parte10a',
      ];
      expect(namesOf((await list(folder.path, { orden: 2 })).archivos)).to.deep.equal(sorted);
    });
  });

  describe('its order carpetas', () => {
    const names = ['parte10', 'parte2', 'parte1'];

    it('has folders first, then all else, each part in natural order, and on pages of one entry too', async () => {
      using folder = new TemporaryFolder();
      for (const name of names) {
        mkdirSync(folder.join(`d ${name}`));
        symlinkSync('nada', folder.join(`l ${name}`));
        writeFileSync(folder.join(`a ${name}`), '');
      }
      mkdirSync(folder.join('z'));
      const sorted = ['d parte1', 'd parte2', 'd parte10', 'z', 'a parte1', 'a parte2', 'a parte10'];
      sorted.push('l parte1', 'l parte2', 'l parte10');
      expect(namesOf((await list(folder.path, { orden: 6 })).archivos)).to.deep.equal(sorted);
      expect(namesOf(await listAll(folder.path, { orden: 6, limite: 1 }))).to.deep.equal(sorted);
      const reversed = await listAll(folder.path, { orden: 6, limite: 3, descendente: true });
      expect(namesOf(reversed)).to.deep.equal(sorted.toReversed());
    });

    it('holds for a whole tree', async () => {
      using folder = new TemporaryFolder();
      for (const name of names) {
        mkdirSync(folder.join('b', name), { recursive: true });
        writeFileSync(folder.join('b', `a ${name}`), '');
      }
      writeFileSync(folder.join('a'), '');
      const sorted = ['b', 'parte1', 'parte2', 'parte10', 'a', 'a parte1', 'a parte2', 'a parte10'];
      const query = { orden: 6, recursivo: true } as const;
      expect(namesOf((await list(folder.path, query)).archivos)).to.deep.equal(sorted);
      expect(namesOf(await listAll(folder.path, { ...query, limite: 1 }))).to.deep.equal(sorted);
    });
  });

  describe('its request', () => {
    const bad: [string, Query, string][] = [
      ['an unknown type', { tipos: [-1] }, 'tipo-no-valido'],
      ['type 0', { tipos: [1, 0] }, 'tipo-no-valido'],
      ['an unknown order', { orden: -1 }, 'orden-no-valido'],
      ['an order from the future', { orden: 99 as 0 }, 'orden-no-valido'],
      ['a page that is too large', { limite: 10_001 }, 'limite-no-valido'],
      ['a page size that is no number', { limite: Number.NaN }, 'limite-no-valido'],
      ['an empty cursor', { cursor: '' }, 'cursor-no-valido'],
      ['a foreign cursor', { cursor: 'hola' }, 'cursor-no-valido'],
      ['two paths', { ruta: 'a', rutaBytes: Buffer.from('a') }, 'ruta-no-valida'],
      ['a path that climbs', { ruta: 'a/../../b' }, 'ruta-no-valida'],
    ];
    for (const [fault, query, reason] of bad) {
      it(`is refused with ${reason} for ${fault}`, async () => {
        using folder = new TemporaryFolder();
        expect(await statusOf(list(folder.path, query))).to.equal(`INVALID_ARGUMENT ${reason}`);
      });
    }

    it('may ask for a page of 10,000 entries, and gets 1000 by default', async () => {
      using folder = new TemporaryFolder();
      for (let i = 0; i < 1001; i++) writeFileSync(folder.join(`${i}`), '');
      expect((await list(folder.path, { limite: 10_000 })).archivos).to.have.lengthOf(1001);
      const page = await list(folder.path);
      expect(page.archivos).to.have.lengthOf(1000);
      expect((await list(folder.path, { cursor: page.siguiente })).archivos).to.have.lengthOf(1);
    });
  });

  describe('its cursor', () => {
    it('is accepted with another page size, and refused with another folder, filter, order or direction', async () => {
      using folder = new TemporaryFolder();
      for (const name of ['a', 'b', 'c']) mkdirSync(folder.join(name));
      const { siguiente: cursor } = await list(folder.path, { limite: 1 });
      expect(cursor).to.be.a('string');
      const others: Query[] = [
        { ruta: 'a' },
        { tipos: [2] },
        { ocultos: true },
        { orden: 4 },
        { descendente: true },
      ];
      for (const other of others) {
        expect(await statusOf(list(folder.path, { ...other, cursor }))).to.equal(
          'INVALID_ARGUMENT cursor-no-valido',
        );
      }
      expect(namesOf((await list(folder.path, { limite: 5, cursor })).archivos)).to.deep.equal(['b', 'c']);
      expect(namesOf((await list(folder.path, { orden: 1, ruta: './', cursor })).archivos)).to.deep.equal([
        'b',
        'c',
      ]);
    });

    it('is refused when any character of it is cut, added or changed', async () => {
      using folder = new TemporaryFolder();
      for (const name of ['a', 'b']) writeFileSync(folder.join(name), '');
      for (const orden of [1, 2, 3, 4, 5, 6] as const) {
        const { siguiente = '' } = await list(folder.path, { limite: 1, orden });
        const altered = [...siguiente].flatMap((character, at) => [
          siguiente.slice(0, at),
          siguiente.slice(0, at) + (character === 'A' ? 'B' : 'A') + siguiente.slice(at + 1),
        ]);
        for (const cursor of [...altered, `${siguiente}A`, `${siguiente}=`, ` ${siguiente}`]) {
          expect(await statusOf(list(folder.path, { orden, cursor }))).to.equal(
            'INVALID_ARGUMENT cursor-no-valido',
          );
        }
      }
    });
  });

  describe('its folder', () => {
    it('is NOT_FOUND when it does not exist or its name is too long to exist', async () => {
      using folder = new TemporaryFolder();
      for (const ruta of ['nada', 'nada/nada', 'x'.repeat(256), `${'a/'.repeat(5000)}a`]) {
        expect(await statusOf(list(folder.path, { ruta }))).to.equal('NOT_FOUND ruta-no-existe');
      }
    });

    it('is refused with no-es-carpeta when it is a file', async () => {
      using folder = new TemporaryFolder();
      writeFileSync(folder.join('archivo'), '');
      for (const ruta of ['archivo', 'archivo/', 'archivo/x']) {
        expect(await statusOf(list(folder.path, { ruta }))).to.equal('INVALID_ARGUMENT no-es-carpeta');
      }
    });

    it('is PERMISSION_DENIED when it may not be read', async () => {
      using folder = new TemporaryFolder();
      chmodSync(folder.path, 0o755);
      mkdirSync(folder.join('privado', 'dentro'), { recursive: true });
      chmodSync(folder.join('privado'), 0o700);
      chmodSync(folder.join('privado'), 0o000);
      await unprivileged(async () => {
        expect(await statusOf(list(folder.path, { ruta: 'privado' }))).to.equal(
          'PERMISSION_DENIED ruta-sin-permiso',
        );
        expect(await statusOf(list(folder.path, { ruta: 'privado/dentro' }))).to.equal(
          'PERMISSION_DENIED ruta-sin-permiso',
        );
        expect(namesOf((await list(folder.path)).archivos)).to.deep.equal(['privado']);
      });
      chmodSync(folder.join('privado'), 0o755);
    });

    it('leads to a folder below it when it has the x but not the r permission', async () => {
      using folder = new TemporaryFolder();
      chmodSync(folder.path, 0o755);
      mkdirSync(folder.join('paso', 'dentro'), { recursive: true });
      writeFileSync(folder.join('paso', 'dentro', 'x'), '');
      chmodSync(folder.join('paso'), 0o311);
      await unprivileged(async () => {
        expect(namesOf((await list(folder.path, { ruta: 'paso/dentro' })).archivos)).to.deep.equal(['x']);
      });
      chmodSync(folder.join('paso'), 0o755);
    });

    it('is incomplete with an error for each entry when it has the r but not the x permission', async () => {
      using folder = new TemporaryFolder();
      chmodSync(folder.path, 0o755);
      mkdirSync(folder.join('nombres'));
      for (const name of ['b', 'a', 'ñ']) writeFileSync(folder.join('nombres', name), '');
      chmodSync(folder.join('nombres'), 0o444);
      const page = await unprivileged(() => list(folder.path, { ruta: 'nombres' }));
      chmodSync(folder.join('nombres'), 0o755);
      const errores = ['a', 'b', 'ñ'].map((name) => ({
        ruta: `nombres/${name}`,
        codigo: 'EACCES',
        rutaBytes: undefined,
      }));
      expect(page).to.deep.include({ archivos: [], siguiente: undefined, completo: false, errores });
    });
  });

  describe('its root', () => {
    it('is UNAVAILABLE while it is missing or a file', async () => {
      using folder = new TemporaryFolder();
      const root = openRoot(folder.join('raíz'));
      const handlers = createHandlers(root);
      const ask = (ruta = ''): Promise<ListarArchivosResponse> =>
        handlers.listarArchivos({ ...ListarArchivosRequest.fromPartial({}), ruta }, callContext());
      const unavailable = 'UNAVAILABLE raiz-no-disponible';

      expect(await statusOf(ask())).to.equal(unavailable);
      writeFileSync(folder.join('raíz'), '');
      expect(await statusOf(ask('a'))).to.equal(unavailable);
      rmSync(folder.join('raíz'));
      mkdirSync(folder.join('raíz', 'a'), { recursive: true });
      expect(namesOf((await ask()).archivos)).to.deep.equal(['a']);
      renameSync(folder.join('raíz'), folder.join('otra'));
      expect(await statusOf(ask())).to.equal(unavailable);
      expect(await statusOf(ask('a'))).to.equal(unavailable);
      mkdirSync(folder.join('raíz', 'b'), { recursive: true });
      expect(namesOf((await ask()).archivos)).to.deep.equal(['b']);
      root.close();
      expect(await statusOf(ask())).to.equal(unavailable);
    });

    it('is followed when it is a link', async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('datos', 'a'), { recursive: true });
      symlinkSync('datos', folder.join('raíz'));
      expect(namesOf((await list(folder.join('raíz'))).archivos)).to.deep.equal(['a']);
    });
  });

  it('rejects with the reason of its signal when that aborts', async () => {
    using folder = new TemporaryFolder();
    for (let i = 0; i < 3000; i++) writeFileSync(folder.join(`${i}`), '');
    const handlers = createHandlers(openRoot(folder.path));
    const abort = new AbortController();
    const listing = handlers.listarArchivos(
      ListarArchivosRequest.fromPartial({ orden: 4 }),
      callContext(abort.signal),
    );
    const reason = new Error('gone');
    abort.abort(reason);
    expect(await listing.catch((error: unknown) => error)).to.equal(reason);
  });
});
