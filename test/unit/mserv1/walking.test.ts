import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { kindFilter } from '../../../filesystem/query.ts';
import { openRoot } from '../../../filesystem/root.ts';
import { createHandlers } from '../../../mserv1/handlers.ts';
import { walkFolder } from '../../../mserv1/walking.ts';
import type { Entrada } from '../../../proto/gen/archivos/v1/entrada.ts';
import {
  ListarArchivosRequest,
  type ListarArchivosResponse,
  RecorrerArchivosRequest,
  type RecorrerArchivosResponse,
} from '../../../proto/gen/archivos/v1/listado.ts';
import { hostileTree, plantTree } from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { unprivileged } from '../../support/processes/unprivileged.ts';
import { callContext } from '../../support/services/call-context.ts';
import { statusOf } from '../../support/services/status-of.ts';

type Query = Partial<RecorrerArchivosRequest>;

function stream(root: string, query: Query, signal?: AbortSignal): AsyncIterable<RecorrerArchivosResponse> {
  const { recorrerArchivos } = createHandlers(openRoot(root));
  if (recorrerArchivos === undefined) throw new Error('No handler');
  return recorrerArchivos({ ...RecorrerArchivosRequest.create(), ...query }, callContext(signal));
}

async function all(parts: AsyncIterable<RecorrerArchivosResponse>): Promise<RecorrerArchivosResponse> {
  const archivos: Entrada[] = [];
  const errores = [];
  for await (const part of parts) {
    expect(part.archivos.length + part.errores.length).to.be.at.most(256);
    archivos.push(...part.archivos);
    errores.push(...part.errores);
  }
  return { archivos, errores };
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;
const inByteOrder = (entries: readonly Entrada[]): string[] =>
  entries.map((entry) => (entry.rutaBytes ?? Buffer.from(entry.ruta)).toString('hex')).sort();

describe('a stream of a folder', () => {
  it('has the entries of a listing, unsorted, and sorted in one pass or several', async () => {
    const queries = fc.record({
      tree: hostileTree,
      tipos: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3 | 4>),
      ocultos: fc.boolean(),
      recursivo: fc.boolean(),
      profundidad: fc.constantFrom(0, 1, 2),
      orden: fc.constantFrom(1, 2, 3, 4, 5, 6) as fc.Arbitrary<1>,
      descendente: fc.boolean(),
      passSize: fc.integer({ min: 1, max: 5 }),
    });
    const names = ['nombre', 'nombre', 'natural', 'bytes', 'modificado', 'tipo', 'carpetas'] as const;
    await fc.assert(
      fc.asyncProperty(queries, async ({ tree, passSize, ...query }) => {
        using planted = plantTree(tree);
        const request = { ...ListarArchivosRequest.create({ limite: 10_000 }), ...query };
        const listing: ListarArchivosResponse = await createHandlers(openRoot(planted.path)).listarArchivos(
          request,
          callContext(),
        );
        const unsorted = await all(stream(planted.path, { ...query, orden: 0 }));
        expect(inByteOrder(unsorted.archivos)).to.deep.equal(inByteOrder(listing.archivos));
        const sorted = await all(stream(planted.path, query));
        expect(sorted.archivos).to.deep.equal(listing.archivos);

        const depth = query.profundidad || (query.recursivo ? Number.POSITIVE_INFINITY : 1);
        const inPasses = walkFolder(
          openRoot(planted.path),
          {
            parts: [],
            kinds: kindFilter(query.tipos),
            hidden: query.ocultos,
            depth,
            sorting: { order: names[query.orden], descending: query.descendente },
            passSize,
          },
          new AbortController().signal,
        );
        expect((await all(inPasses)).archivos).to.deep.equal(listing.archivos);
      }),
      { numRuns: 60 },
    );
  });

  it('comes in messages of at most 256 entries', async () => {
    using folder = new TemporaryFolder();
    for (let i = 0; i < 700; i++) writeFileSync(folder.join(`f${i}`), '');
    const sizes: number[] = [];
    const names: string[] = [];
    for await (const { archivos } of stream(folder.path, {})) {
      sizes.push(archivos.length);
      names.push(...archivos.map((entry) => entry.nombre));
    }
    expect(Math.max(...sizes)).to.be.at.most(256);
    expect(new Set(names).size).to.equal(700);
  });

  it('reports an unreadable folder once and goes on', async () => {
    using folder = new TemporaryFolder();
    chmodSync(folder.path, 0o755);
    for (const name of ['a', 'privado', 'z']) mkdirSync(folder.join(name, 'dentro'), { recursive: true });
    chmodSync(folder.join('privado'), 0o000);
    const errores = [{ ruta: 'privado', codigo: 'EACCES', rutaBytes: undefined }];
    const scope = { parts: [], kinds: kindFilter([]), hidden: false, depth: Number.POSITIVE_INFINITY };
    await unprivileged(async () => {
      const found = await all(stream(folder.path, { recursivo: true }));
      expect(found.errores).to.deep.equal(errores);
      expect(found.archivos).to.have.lengthOf(5);
      const sorting = { order: 'nombre', descending: false } as const;
      const walkQuery = { ...scope, sorting, passSize: 1 };
      const sorted = await all(walkFolder(openRoot(folder.path), walkQuery, new AbortController().signal));
      expect(sorted.errores).to.deep.equal(errores);
      expect(sorted.archivos.map((entry) => entry.nombre)).to.deep.equal([
        'a',
        'dentro',
        'dentro',
        'privado',
        'z',
      ]);
    });
    chmodSync(folder.join('privado'), 0o755);
  });

  it('ends with a status when its folder cannot be opened', async () => {
    using folder = new TemporaryFolder();
    writeFileSync(folder.join('fichero'), '');
    const status = (ruta: string, orden: 0 | 1 = 0) => statusOf(all(stream(folder.path, { ruta, orden })));
    for (const orden of [0, 1] as const) {
      expect(await status('nada', orden)).to.equal('NOT_FOUND ruta-no-existe');
      expect(await status('fichero', orden)).to.equal('INVALID_ARGUMENT no-es-carpeta');
      expect(await status('..', orden)).to.equal('INVALID_ARGUMENT ruta-no-valida');
    }
    rmSync(folder.path, { recursive: true });
    expect(await status('')).to.equal('UNAVAILABLE raiz-no-disponible');
  });

  it('closes its descriptors when its reader leaves the loop, and when its signal aborts', async function () {
    if (process.platform !== 'linux') this.skip();
    using folder = new TemporaryFolder();
    for (const name of ['a', 'b', 'c']) {
      mkdirSync(folder.join(name, 'd', 'e'), { recursive: true });
      for (let i = 0; i < 300; i++) writeFileSync(folder.join(name, 'd', `f${i}`), '');
    }
    const before = descriptors();
    for await (const _part of stream(folder.path, { recursivo: true })) {
      expect(descriptors()).to.be.above(before);
      break;
    }
    expect(descriptors()).to.equal(before);

    const abort = new AbortController();
    const reason = new Error('gone');
    const parts = stream(folder.path, { recursivo: true }, abort.signal);
    const seen = (async () => {
      for await (const _part of parts) abort.abort(reason);
    })();
    expect(await seen.catch((error: unknown) => error)).to.equal(reason);
    expect(descriptors()).to.equal(before);
  });

  it('has every staying entry once when others are deleted and made meanwhile', async () => {
    using folder = new TemporaryFolder();
    for (let i = 0; i < 3000; i++) writeFileSync(folder.join(`${i % 2 === 0 ? 'queda' : 'pasa'} ${i}`), '');
    const names: string[] = [];
    for await (const { archivos } of stream(folder.path, {})) {
      if (names.length === 0) {
        for (let i = 1; i < 3000; i += 2) rmSync(folder.join(`pasa ${i}`));
        for (let i = 0; i < 500; i++) writeFileSync(folder.join(`nuevo ${i}`), '');
      }
      names.push(...archivos.map((entry) => entry.nombre));
    }
    const stayed = names.filter((name) => name.startsWith('queda'));
    expect(new Set(stayed).size).to.equal(1500);
    expect(stayed).to.have.lengthOf(1500);
    expect(names.filter((name) => name.startsWith('pasa')).length).to.be.at.most(256);
    expect(new Set(names).size).to.equal(names.length);
  });
});
