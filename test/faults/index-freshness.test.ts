import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { type BuscarArchivosRequest, EstadoIndice } from '../../proto/gen/archivos/v1/busqueda.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { eventually } from '../support/processes/eventually.ts';
import { Mserv2 } from '../support/processes/mserv2.ts';

const ready = EstadoIndice.ESTADO_INDICE_LISTO;

function makeFiles(folder: string, count: number, from = 0): void {
  for (let n = from; n < from + count; n++) closeSync(openSync(`${folder}/fichero ${n}`, 'w'));
}

/** Fails unless the first answer with state `listo` is complete and has this total; earlier answers may be partial. */
async function known(mserv2: Mserv2, wish: Partial<BuscarArchivosRequest>, total: number): Promise<void> {
  const answers = await mserv2.searchUntilReady(wish);
  expect(answers.at(-1)).to.include({ total, completo: true });
}

describe('The index of mserv2', () => {
  it('finds a file right after its creation, in an answer marked complete', async () => {
    using folder = new TemporaryFolder();
    await using mserv2 = await Mserv2.start(folder.path);
    await mserv2.searchUntilReady();
    for (let n = 0; n < 50; n++) {
      mkdirSync(folder.join(`carpeta ${n}`));
      writeFileSync(folder.join(`carpeta ${n}`, `nuevo ${n}`), 'x'.repeat(n));
      await known(mserv2, { nombre: `nuevo ${n}`, modo: 2, bytesMin: n, bytesMax: n }, 1);
    }
  });

  it('marks its answers incomplete until it has read a burst of changes made while it was stopped', async () => {
    const burst = 40_000; // more than the 16,384 events that inotify queues
    using folder = new TemporaryFolder();
    const folders = Array.from({ length: 50 }, (_, n) => folder.join(`carpeta ${n}`));
    for (const path of folders) mkdirSync(path);
    await using mserv2 = await Mserv2.start(folder.path);
    await mserv2.searchUntilReady();
    mserv2.proc.pause();
    for (const path of folders) makeFiles(path, burst / folders.length);
    mserv2.proc.resume();
    const answers = await mserv2.searchUntilReady({ nombre: 'fichero' });
    expect(answers.at(-1)).to.include({ total: burst, completo: true });
    // Earlier answers must be marked as incomplete.
    for (const { indice, completo } of answers.slice(0, -1)) {
      expect(indice?.estado).to.not.equal(ready);
      expect(completo).to.equal(false);
    }
  });

  it('drops entries deleted while it was stopped', async () => {
    using folder = new TemporaryFolder();
    for (let n = 0; n < 40; n++) {
      mkdirSync(folder.join(`${n}`, 'sub'), { recursive: true });
      makeFiles(folder.join(`${n}`, 'sub'), 500);
    }
    await using mserv2 = await Mserv2.start(folder.path);
    await mserv2.searchUntilReady();
    mserv2.proc.pause();
    for (let n = 1; n < 40; n++) rmSync(folder.join(`${n}`), { recursive: true });
    // Folders with the old names are created again; most of them get the old inodes.
    for (let n = 1; n < 40; n++) mkdirSync(folder.join(`${n}`, 'sub'), { recursive: true });
    mserv2.proc.resume();
    const answers = await mserv2.searchUntilReady({ nombre: 'fichero' });
    expect(answers.at(-1)).to.include({ total: 500, completo: true });
    writeFileSync(folder.join('20', 'sub', 'después'), '');
    await known(mserv2, { nombre: 'después' }, 1);
  });

  it('follows a root that disappears, returns, and is replaced by another folder', async () => {
    using folder = new TemporaryFolder();
    const root = folder.join('raíz');
    mkdirSync(folder.join('raíz', 'a'), { recursive: true });
    writeFileSync(folder.join('raíz', 'a', 'uno'), '');
    await using mserv2 = await Mserv2.start(root);
    await mserv2.searchUntilReady();
    renameSync(root, folder.join('fuera'));
    const failure = await mserv2.search({ nombre: 'uno' }).catch((error: unknown) => error);
    expect(failure)
      .to.have.property('details')
      .that.matches(/^raiz-no-disponible: /);
    writeFileSync(folder.join('fuera', 'a', 'dos'), '');
    renameSync(folder.join('fuera'), root);
    expect((await mserv2.searchUntilReady({ tipos: [1] })).at(-1)?.total).to.equal(2);
    writeFileSync(folder.join('raíz', 'a', 'tres'), '');
    await known(mserv2, { tipos: [1] }, 3);

    mkdirSync(folder.join('otra', 'b'), { recursive: true });
    writeFileSync(folder.join('otra', 'b', 'cuatro'), '');
    renameSync(root, folder.join('fuera'));
    renameSync(folder.join('otra'), root);
    const answers = await mserv2.searchUntilReady({ tipos: [1] });
    expect(answers.at(-1)?.archivos.map(({ entrada }) => entrada?.ruta)).to.deep.equal(['b/cuatro']);
    for (const { archivos } of answers) {
      expect(archivos.map(({ entrada }) => entrada?.nombre)).to.not.include.members(['uno']);
    }
    writeFileSync(folder.join('raíz', 'b', 'cinco'), '');
    await known(mserv2, { tipos: [1] }, 2);
  });

  it('starts without a root, and serves it when it appears', async () => {
    using folder = new TemporaryFolder();
    const root = folder.join('raíz');
    await using mserv2 = await Mserv2.start(root);
    const failure = await mserv2.search().catch((error: unknown) => error);
    expect(failure)
      .to.have.property('details')
      .that.matches(/^raiz-no-disponible: /);
    mkdirSync(root);
    writeFileSync(folder.join('raíz', 'uno'), '');
    await eventually(async () => (await mserv2.search()).indice?.estado === ready);
    expect((await mserv2.search()).total).to.equal(1);
  });
});
