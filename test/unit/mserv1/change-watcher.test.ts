import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  opendirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { kindFilter } from '../../../filesystem/query.ts';
import { openRoot } from '../../../filesystem/root.ts';
import { ChangeWatcher } from '../../../mserv1/change-watcher.ts';
import { listFolder } from '../../../mserv1/listing.ts';
import { Motivo } from '../../../proto/gen/archivos/v1/vigilancia.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { WatchedListings } from '../../support/files/watched-listings.ts';

describe('the watcher over folders', () => {
  it('vouches from the second time on, and only while somebody listens', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a'));
    const it = new WatchedListings(folder.path);
    await using _ = it;
    await it.beat();
    expect((await it.list({ ruta: 'a' })).vigencia).to.equal(undefined);
    const second = await it.list({ ruta: './a//' });
    expect(second.vigencia).to.deep.include({ carpeta: 'a' });
    expect((await it.list()).vigencia, 'a folder of its own').to.equal(undefined);
    await it[Symbol.asyncDispose]();
    expect((await it.list({ ruta: 'a' })).vigencia, 'nobody listens').to.equal(undefined);
  });

  it('takes what was read before nobody listened for older than what the next listener begins with', async () => {
    using folder = new TemporaryFolder();
    const watcher = new ChangeWatcher(openRoot(folder.path), { limit: 10, beatMs: 20 });
    const begun = async () => {
      const gone = new AbortController();
      const feed = watcher.listen([gone.signal]);
      return { gone, feed, numero: (await feed.next()).value?.reloj?.numero ?? Number.NaN };
    };
    const first = await begun();
    watcher.begin([]);
    const read = watcher.begin([])?.clock.number;
    first.gone.abort();
    await first.feed.return();
    writeFileSync(folder.join('nuevo'), '');
    const second = await begun();
    expect(second.numero).to.be.greaterThan(read ?? Number.NaN);
    second.gone.abort();
    await second.feed.return();
  });

  const changes: Readonly<Record<string, (root: string) => void>> = {
    'a new file': (root) => writeFileSync(join(root, 'a/b/nuevo'), ''),
    'a file that grows': (root) => appendFileSync(join(root, 'a/b/fichero'), 'x'),
    'a file that is touched': (root) => utimesSync(join(root, 'a/b/fichero'), 1, 1),
    'a file that is deleted': (root) => rmSync(join(root, 'a/b/fichero')),
    'a file in a subfolder': (root) => writeFileSync(join(root, 'a/b/c/nuevo'), ''),
    'a folder above that is moved': (root) => renameSync(join(root, 'a'), join(root, 'z')),
    'a folder above that may not be passed through': (root) => chmodSync(join(root, 'a'), 0o644),
    'another folder in its place': (root) => {
      renameSync(join(root, 'a/b'), join(root, 'a/z'));
      mkdirSync(join(root, 'a/b'));
    },
    'its end': (root) => rmSync(join(root, 'a/b'), { recursive: true }),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`tells of ${what}, with a number above that of what was read before`, async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('a/b/c'), { recursive: true });
      writeFileSync(folder.join('a/b/fichero'), 'x');
      await using it = new WatchedListings(folder.path);
      const before = await it.watch('a/b');
      await it.beat();
      expect(it.toldOf(before)).to.equal(false);
      change(folder.path);
      await it.beat();
      expect(it.toldOf(before)).to.equal(true);
    });
  }

  it('tells of the end of an empty folder that somebody else holds open', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a/b'), { recursive: true });
    await using it = new WatchedListings(folder.path);
    const before = await it.watch('a/b');
    // Until it is closed, the folder itself is told nothing of its end.
    using _held = opendirSync(folder.join('a/b'));
    rmSync(folder.join('a/b'), { recursive: true });
    await it.beat();
    expect(it.toldOf(before)).to.equal(true);
  });

  it('tells that everything changed when the root is another folder, over whatever links', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('uno'));
    mkdirSync(folder.join('dos'));
    symlinkSync('uno', folder.join('raíz'));
    await using it = new WatchedListings(folder.join('raíz'));
    await it.watch();
    rmSync(folder.join('raíz'));
    symlinkSync('dos', folder.join('raíz'));
    await it.beat();
    expect(it.heard.some(({ todo }) => todo)).to.equal(true);
  });

  it('tells that everything changed when events were lost, and watches anew', async () => {
    using folder = new TemporaryFolder();
    await using it = new WatchedListings(folder.path, { capacity: 40 });
    const before = await it.watch();
    for (let n = 0; n < 40; n++) writeFileSync(folder.join(`${n}`), '');
    await it.beat();
    expect(it.heard.some(({ todo }) => todo)).to.equal(true);
    expect(it.toldOf(before)).to.equal(true);
    const after = await it.list();
    expect(after.archivos).to.have.length(40);
    expect(after.vigencia).to.not.equal(undefined);
  });

  it('watches no more folders than it may; the one asked for least recently goes, and that is told', async () => {
    using folder = new TemporaryFolder();
    for (const name of ['a', 'b', 'c']) mkdirSync(folder.join(name));
    // The root is on the way to all of them.
    await using it = new WatchedListings(folder.path, { limit: 3 });
    const a = await it.watch('a');
    const b = await it.watch('b');
    const again = await it.list({ ruta: 'a' });
    await it.watch('c');
    await it.beat();
    expect(it.toldOf(b)).to.equal(true);
    expect(it.toldOf(a)).to.equal(false);
    expect(it.toldOf(again)).to.equal(false);
  });

  it('says what it cannot watch: past the limit, and on file systems without events', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a/b'), { recursive: true });
    await using narrow = new WatchedListings(folder.path, { limit: 2 });
    for (let n = 0; n < 4; n++) expect((await narrow.list({ ruta: 'a/b' })).vigencia).to.equal(undefined);
    await narrow.beat();
    const limits = narrow.heard.flatMap(({ noVigiladas }) => noVigiladas);
    expect(limits).to.deep.equal([{ carpeta: 'a/b', motivo: Motivo.MOTIVO_LIMITE }]);

    expect(statfsSync('/proc').type).to.equal(0x9fa0);
    await using deaf = new WatchedListings('/proc/sys');
    for (let n = 0; n < 4; n++) expect((await deaf.list({ ruta: 'fs' })).vigencia).to.equal(undefined);
    await deaf.beat();
    const silent = deaf.heard.flatMap(({ noVigiladas }) => noVigiladas);
    expect(silent).to.deep.equal([{ carpeta: '', motivo: Motivo.MOTIVO_SIN_EVENTOS }]);
  });

  const doubtful: Readonly<Record<string, (root: string) => void>> = {
    'a file has another name elsewhere': (root) => {
      writeFileSync(join(dirname(root), 'otra'), '');
      linkSync(join(dirname(root), 'otra'), join(root, 'aquí'));
    },
    'it shows where a link points': (root) => symlinkSync('nada', join(root, 'enlace')),
    'it has too many subfolders': (root) => {
      for (let n = 0; n < 65; n++) mkdirSync(join(root, `${n}`));
    },
  };
  for (const [why, plant] of Object.entries(doubtful)) {
    it(`does not vouch for a folder when ${why}`, async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('raíz'));
      plant(folder.join('raíz'));
      await using it = new WatchedListings(folder.join('raíz'));
      for (let n = 0; n < 4; n++) expect((await it.list()).vigencia).to.equal(undefined);
      expect((await it.list({ recursivo: true })).vigencia).to.equal(undefined);
    });
  }

  it('does not vouch for a page whose subfolder changed between its being read and its being watched', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a'));
    const root = openRoot(folder.path);
    const watcher = new ChangeWatcher(root, { limit: 10 });
    const gone = new AbortController();
    const feed = watcher.listen([gone.signal]);
    await feed.next();
    const query = { parts: [], kinds: kindFilter([]), hidden: false, depth: 1, limit: 10, cursor: undefined };
    const read = () => listFolder(root, { ...query, order: 'nombre', descending: false }, gone.signal);
    watcher.begin([]);
    const watch = watcher.begin([]);
    const page = await read();
    writeFileSync(folder.join('a/nuevo'), '');
    utimesSync(folder.join('a'), 1, 1);
    expect(watch && watcher.validityOf(watch, page)).to.equal(undefined);
    const next = watcher.begin([]);
    expect(next && watcher.validityOf(next, await read())).to.not.equal(undefined);
    gone.abort();
    await feed.return();
  });

  it('keeps nothing that is not so, whatever happens to the tree (against reading it anew)', async () => {
    const place = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'a/b/a');
    const act = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('use' as const), at: fc.oneof(place, fc.constant('')) }),
      },
      fc.record({ do: fc.constant('write' as const), at: place }),
      fc.record({ do: fc.constant('folder' as const), at: place }),
      fc.record({ do: fc.constant('remove' as const), at: place }),
      fc.record({ do: fc.constant('chmod' as const), at: place }),
      { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const), at: place }) },
      fc.record({ do: fc.constant('move' as const), at: place, to: place }),
    );
    const acts = fc.array(act, { minLength: 10, maxLength: 40 });
    let served = 0;
    const holds = fc.asyncProperty(acts, fc.integer({ min: 2, max: 8 }), async (list, limit) => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('a/b'), { recursive: true });
      await using it = new WatchedListings(folder.path, { limit, beatMs: 2 });
      const look = async (): Promise<void> => {
        await it.beat();
        for (const [ruta, kept] of it.kept) {
          served += 1;
          const now = await it.list({ ruta });
          expect({ ...kept, vigencia: undefined }, ruta).to.deep.equal({ ...now, vigencia: undefined });
        }
      };
      for (const step of list) {
        if (step.do === 'look') await look();
        else if (step.do !== 'use') change(folder.path, step);
        else for (let n = 0; n < 2; n++) await it.use(step.at).catch(() => undefined);
      }
      await look();
    });
    await fc.assert(holds, { numRuns: 60 });
    // Else nothing was compared. How often depends on what chance did to the tree.
    expect(served).to.be.greaterThan(20);
  });
});

/** What the system refuses does not happen. */
function change(
  root: string,
  step: { readonly do: string; readonly at: string; readonly to?: string },
): void {
  const at = join(root, step.at);
  try {
    if (step.do === 'write') appendFileSync(at, 'x');
    if (step.do === 'folder') mkdirSync(at);
    if (step.do === 'remove') rmSync(at, { recursive: true });
    if (step.do === 'chmod') chmodSync(at, 0o700);
    if (step.do === 'move') renameSync(at, join(root, step.to ?? ''));
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
