import { closeSync, mkdirSync, openSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { EstadoIndice } from '../../proto/gen/archivos/v1/busqueda.ts';
import { Mounts, mountMissing } from '../support/files/mounts.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { WatchedListings } from '../support/files/watched-listings.ts';
import { WatchedSearches } from '../support/index/watched-searches.ts';
import { Mserv2 } from '../support/processes/mserv2.ts';

/** Paths of all files, by the first answer that claims to be complete. No answer before it may claim that. */
async function files(mserv2: Mserv2, ruta = ''): Promise<(string | undefined)[]> {
  const answers = await mserv2.searchUntilReady({ tipos: [1], orden: 3, limite: 1000, ruta });
  for (const { completo } of answers.slice(0, -1)) expect(completo).to.equal(false);
  const last = answers.at(-1);
  expect(last?.completo).to.equal(true);
  return last?.archivos.map(({ entrada }) => entrada?.ruta) ?? [];
}

function plant(folder: TemporaryFolder): string {
  mkdirSync(folder.join('raíz', 'disco', 'sub'), { recursive: true });
  mkdirSync(folder.join('raíz', 'otra'));
  writeFileSync(folder.join('raíz', 'disco', 'debajo'), '');
  writeFileSync(folder.join('raíz', 'disco', 'sub', 'debajo'), '');
  writeFileSync(folder.join('raíz', 'otra', 'fija'), '');
  return folder.join('raíz');
}

const below = ['disco/debajo', 'disco/sub/debajo', 'otra/fija'];

describe('A file system mounted below the root', () => {
  before(function () {
    const missing = mountMissing();
    if (missing === undefined) return;
    console.log(`      skipped: ${missing}`);
    this.skip();
  });

  it('is found by the next search, and so is what it covered, as often as it comes and goes', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    await using mserv2 = await Mserv2.start(root);
    expect(await files(mserv2)).to.deep.equal(below);
    for (let n = 0; n < 3; n++) {
      mounts.tmpfs(folder.join('raíz', 'disco'));
      mkdirSync(folder.join('raíz', 'disco', 'sub'));
      writeFileSync(folder.join('raíz', 'disco', 'sub', `montado ${n}`), '');
      expect(await files(mserv2)).to.deep.equal([`disco/sub/montado ${n}`, 'otra/fija']);
      writeFileSync(folder.join('raíz', 'disco', 'sub', 'después'), '');
      expect(await files(mserv2, 'disco')).to.deep.equal(['disco/sub/después', `disco/sub/montado ${n}`]);
      await mounts.unmount(folder.join('raíz', 'disco'), n === 1);
      expect(await files(mserv2)).to.deep.equal(below);
    }
    writeFileSync(folder.join('raíz', 'disco', 'sub', 'nueva'), '');
    expect(await files(mserv2, 'disco/sub')).to.deep.equal(['disco/sub/debajo', 'disco/sub/nueva']);
  });

  it('is found when its folders have the inodes and dates of those below it', async () => {
    using folder = new TemporaryFolder();
    const root = folder.join('raíz');
    mkdirSync(folder.join('raíz', 'disco'), { recursive: true });
    using mounts = new Mounts();
    const make = (name: string): void => {
      mounts.tmpfs(folder.join('raíz', 'disco'));
      mkdirSync(folder.join('raíz', 'disco', 'sub'));
      writeFileSync(folder.join('raíz', 'disco', 'sub', name), '');
      for (const path of ['sub', '']) utimesSync(folder.join('raíz', 'disco', path), 1, 1);
    };
    make('uno');
    await using mserv2 = await Mserv2.start(root);
    expect(await files(mserv2)).to.deep.equal(['disco/sub/uno']);
    make('dos');
    expect(await files(mserv2)).to.deep.equal(['disco/sub/dos']);
    writeFileSync(folder.join('raíz', 'disco', 'sub', 'tres'), '');
    expect(await files(mserv2)).to.deep.equal(['disco/sub/dos', 'disco/sub/tres']);
    await mounts.unmount(folder.join('raíz', 'disco'));
    expect(await files(mserv2)).to.deep.equal(['disco/sub/uno']);
  });

  it('is found when it takes the place of another one between two searches', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    const disk = folder.join('raíz', 'disco');
    using mounts = new Mounts();
    const mount = (name: string): void => {
      mounts.tmpfs(disk);
      mkdirSync(join(disk, 'sub'));
      writeFileSync(join(disk, 'sub', name), '');
    };
    mount('0');
    await using mserv2 = await Mserv2.start(root);
    expect(await files(mserv2)).to.deep.equal(['disco/sub/0', 'otra/fija']);
    for (let n = 1; n <= 12; n++) {
      await mounts.unmount(disk);
      // The unmount's events are handled before the mount, meanwhile, or after it.
      await setTimeout(5 * (n % 4));
      mount(`${n}`);
      expect(await files(mserv2), `mount ${n}`).to.deep.equal([`disco/sub/${n}`, 'otra/fija']);
      writeFileSync(join(disk, 'sub', 'después'), '');
      expect(await files(mserv2)).to.deep.equal([`disco/sub/${n}`, 'disco/sub/después', 'otra/fija']);
    }
  });

  it('is found below a root that is a symbolic link, under a name with blanks', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    mkdirSync(folder.join('raíz', 'mi ñandú\\'));
    symlinkSync('raíz', folder.join('enlace'));
    using mounts = new Mounts();
    await using mserv2 = await Mserv2.start(folder.join('enlace'));
    await files(mserv2);
    mounts.tmpfs(`${root}/mi ñandú\\`);
    writeFileSync(`${root}/mi ñandú\\/montado`, '');
    expect(await files(mserv2)).to.deep.equal([...below.slice(0, 2), 'mi ñandú\\/montado', 'otra/fija']);
  });

  it('is found when it covers the root', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    await using mserv2 = await Mserv2.start(root);
    await files(mserv2);
    mounts.tmpfs(root);
    writeFileSync(folder.join('raíz', 'montado'), '');
    expect(await files(mserv2)).to.deep.equal(['montado']);
    await mounts.unmount(root);
    expect(await files(mserv2)).to.deep.equal(below);
  });

  it('is found and lost again when the root is mounted on itself, which covers the mounts below', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    mounts.tmpfs(folder.join('raíz', 'disco'));
    writeFileSync(folder.join('raíz', 'disco', 'montado'), '');
    await using mserv2 = await Mserv2.start(root);
    expect(await files(mserv2)).to.deep.equal(['disco/montado', 'otra/fija']);
    mounts.bind(root, root);
    expect(await files(mserv2)).to.deep.equal(below);
    await mounts.unmount(root);
    expect(await files(mserv2)).to.deep.equal(['disco/montado', 'otra/fija']);
  });

  it('is found when it is a bind mount of a folder or of a file', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    mkdirSync(folder.join('fuera'));
    writeFileSync(folder.join('fuera', 'montado'), 'xxx');
    using mounts = new Mounts();
    await using mserv2 = await Mserv2.start(root);
    await files(mserv2);
    mounts.bind(folder.join('fuera'), folder.join('raíz', 'disco'));
    mounts.bind(folder.join('fuera', 'montado'), folder.join('raíz', 'otra', 'fija'));
    expect(await files(mserv2)).to.deep.equal(['disco/montado', 'otra/fija']);
    expect((await mserv2.search({ bytesMin: 3, tipos: [1] })).total).to.equal(2);
    await mounts.unmount(folder.join('raíz', 'otra', 'fija'));
    expect((await mserv2.search({ bytesMin: 3, tipos: [1] })).total).to.equal(1);
  });

  it('is found when it is an overlay', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    mkdirSync(folder.join('base'));
    mounts.tmpfs(folder.join('base'));
    for (const name of ['lower', 'upper', 'work']) mkdirSync(folder.join('base', name));
    writeFileSync(folder.join('base', 'lower', 'capa'), '');
    await using mserv2 = await Mserv2.start(root);
    await files(mserv2);
    const layer = (name: string): string => folder.join('base', name);
    mounts.overlay(folder.join('raíz', 'disco'), {
      lower: layer('lower'),
      upper: layer('upper'),
      work: layer('work'),
    });
    writeFileSync(folder.join('raíz', 'disco', 'encima'), '');
    expect(await files(mserv2)).to.deep.equal(['disco/capa', 'disco/encima', 'otra/fija']);
    await mounts.unmount(folder.join('raíz', 'disco'));
    expect(await files(mserv2)).to.deep.equal(below);
  });

  it('is found when it comes or goes while the index is built', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    for (let n = 0; n < 300; n++) {
      mkdirSync(folder.join('raíz', 'disco', `${n}`));
      for (let m = 0; m < 30; m++) closeSync(openSync(folder.join('raíz', 'disco', `${n}`, `${m}`), 'w'));
    }
    using mounts = new Mounts();
    await using mserv2 = await Mserv2.start(root);
    mounts.tmpfs(folder.join('raíz', 'disco'));
    mkdirSync(folder.join('raíz', 'disco', '7'));
    writeFileSync(folder.join('raíz', 'disco', '7', 'montado'), '');
    expect(await files(mserv2)).to.deep.equal(['disco/7/montado', 'otra/fija']);
  });

  it('is told truly after a restart from a snapshot that was saved before it came or went', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    const env = { MSERV2_SNAPSHOT: folder.join('snapshot') };
    using mounts = new Mounts();
    {
      await using mserv2 = await Mserv2.start(root, env);
      await files(mserv2);
    }
    mounts.tmpfs(folder.join('raíz', 'disco'));
    writeFileSync(folder.join('raíz', 'disco', 'montado'), '');
    {
      await using mserv2 = await Mserv2.start(root, env);
      expect(await files(mserv2)).to.deep.equal(['disco/montado', 'otra/fija']);
    }
    await mounts.unmount(folder.join('raíz', 'disco'));
    await using mserv2 = await Mserv2.start(root, env);
    expect(await files(mserv2)).to.deep.equal(below);
  });

  it('makes cached searches invalid when it comes and when it goes', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    await using it = new WatchedSearches(root);
    const before = await it.searchWatched({ tipos: [1] });
    mounts.tmpfs(folder.join('raíz', 'disco'));
    await it.heartbeat();
    expect(it.isReported(before)).to.equal(true);
    const during = await it.searchWatched({ tipos: [1] });
    expect(during.indice?.estado).to.equal(EstadoIndice.ESTADO_INDICE_LISTO);
    expect(during.total).to.equal(1);
    await mounts.unmount(folder.join('raíz', 'disco'));
    await it.heartbeat();
    expect(it.isReported(during)).to.equal(true);
  });

  it('makes cached listings of its folder and of the root invalid when it comes and when it goes', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    await using listings = new WatchedListings(root);
    const kept = [
      await listings.listWatched('disco'),
      await listings.listWatched('disco/sub'),
      await listings.listWatched(''),
    ];
    await listings.heartbeat();
    for (const page of kept) expect(listings.isReported(page)).to.equal(false);
    mounts.tmpfs(folder.join('raíz', 'disco'));
    await listings.heartbeat();
    for (const page of kept) expect(listings.isReported(page)).to.equal(true);
    const during = await listings.listWatched('disco');
    expect(during.archivos).to.deep.equal([]);
    writeFileSync(folder.join('raíz', 'disco', 'montado'), '');
    await listings.heartbeat();
    expect(listings.isReported(during), 'a new file').to.equal(true);
    const later = await listings.listWatched('disco');
    await mounts.unmount(folder.join('raíz', 'disco'));
    await listings.heartbeat();
    expect(listings.isReported(later), 'the unmount').to.equal(true);
  });

  it('gives no validity to a listing that began before it came', async () => {
    using folder = new TemporaryFolder();
    const root = plant(folder);
    using mounts = new Mounts();
    await using listings = new WatchedListings(root, { beatMs: 60_000 });
    await listings.listWatched('disco');
    mounts.tmpfs(folder.join('raíz', 'disco'));
    expect((await listings.list({ ruta: 'disco' })).vigencia).to.equal(undefined);
  });
});
