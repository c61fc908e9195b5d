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

describe('the change watcher', () => {
  it('gives a validity from the second listing on, while a feed is open', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a'));
    const listings = new WatchedListings(folder.path);
    await using _ = listings;
    await listings.heartbeat();
    expect((await listings.list({ ruta: 'a' })).vigencia).to.equal(undefined);
    const second = await listings.list({ ruta: './a//' });
    expect(second.vigencia).to.deep.include({ carpeta: 'a' });
    expect((await listings.list()).vigencia, 'another folder').to.equal(undefined);
    await listings[Symbol.asyncDispose]();
    expect((await listings.list({ ruta: 'a' })).vigencia, 'no feed is open').to.equal(undefined);
  });

  it('begins a new feed with a newer clock than listings before the last feed ended', async () => {
    using folder = new TemporaryFolder();
    const watcher = new ChangeWatcher(openRoot(folder.path), { limit: 10, beatMs: 20 });
    const begun = async () => {
      const abort = new AbortController();
      const feed = watcher.listen([abort.signal]);
      return { abort, feed, numero: (await feed.next()).value?.reloj?.numero ?? Number.NaN };
    };
    const first = await begun();
    watcher.begin([]);
    const read = watcher.begin([])?.clock.number;
    first.abort.abort();
    await first.feed.return();
    writeFileSync(folder.join('nuevo'), '');
    const second = await begun();
    expect(second.numero).to.be.greaterThan(read ?? Number.NaN);
    second.abort.abort();
    await second.feed.return();
  });

  const changes: Readonly<Record<string, (root: string) => void>> = {
    'a new file': (root) => writeFileSync(join(root, 'a/b/nuevo'), ''),
    'a file that grows': (root) => appendFileSync(join(root, 'a/b/fichero'), 'x'),
    'a file that is touched': (root) => utimesSync(join(root, 'a/b/fichero'), 1, 1),
    'a file that is deleted': (root) => rmSync(join(root, 'a/b/fichero')),
    'a file in a subfolder': (root) => writeFileSync(join(root, 'a/b/c/nuevo'), ''),
    'a folder above that is moved': (root) => renameSync(join(root, 'a'), join(root, 'z')),
    'a folder above that loses its x permission': (root) => chmodSync(join(root, 'a'), 0o644),
    'a new folder in its path': (root) => {
      renameSync(join(root, 'a/b'), join(root, 'a/z'));
      mkdirSync(join(root, 'a/b'));
    },
    'its deletion': (root) => rmSync(join(root, 'a/b'), { recursive: true }),
  };
  for (const [event, change] of Object.entries(changes)) {
    it(`reports ${event} with a newer clock than the listing before it`, async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('a/b/c'), { recursive: true });
      writeFileSync(folder.join('a/b/fichero'), 'x');
      await using listings = new WatchedListings(folder.path);
      const before = await listings.listWatched('a/b');
      await listings.heartbeat();
      expect(listings.isReported(before)).to.equal(false);
      change(folder.path);
      await listings.heartbeat();
      expect(listings.isReported(before)).to.equal(true);
    });
  }

  it('reports the deletion of an empty folder that another descriptor holds open', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a/b'), { recursive: true });
    await using listings = new WatchedListings(folder.path);
    const before = await listings.listWatched('a/b');
    // While the descriptor is open, inotify reports no deletion of the folder itself.
    using _held = opendirSync(folder.join('a/b'));
    rmSync(folder.join('a/b'), { recursive: true });
    await listings.heartbeat();
    expect(listings.isReported(before)).to.equal(true);
  });

  it('reports that everything changed when a link to the root points to another folder', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('uno'));
    mkdirSync(folder.join('dos'));
    symlinkSync('uno', folder.join('raíz'));
    await using listings = new WatchedListings(folder.join('raíz'));
    await listings.listWatched();
    rmSync(folder.join('raíz'));
    symlinkSync('dos', folder.join('raíz'));
    await listings.heartbeat();
    expect(listings.messages.some(({ todo }) => todo)).to.equal(true);
  });

  it('reports that everything changed when events were lost, then watches again', async () => {
    using folder = new TemporaryFolder();
    await using listings = new WatchedListings(folder.path, { capacity: 40 });
    const before = await listings.listWatched();
    for (let n = 0; n < 40; n++) writeFileSync(folder.join(`${n}`), '');
    await listings.heartbeat();
    expect(listings.messages.some(({ todo }) => todo)).to.equal(true);
    expect(listings.isReported(before)).to.equal(true);
    const after = await listings.list();
    expect(after.archivos).to.have.length(40);
    expect(after.vigencia).to.not.equal(undefined);
  });

  it('drops the least recently listed folder at its limit, and reports it as changed', async () => {
    using folder = new TemporaryFolder();
    for (const name of ['a', 'b', 'c']) mkdirSync(folder.join(name));
    // The root counts too: it is above all three.
    await using listings = new WatchedListings(folder.path, { limit: 3 });
    const a = await listings.listWatched('a');
    const b = await listings.listWatched('b');
    const again = await listings.list({ ruta: 'a' });
    await listings.listWatched('c');
    await listings.heartbeat();
    expect(listings.isReported(b)).to.equal(true);
    expect(listings.isReported(a)).to.equal(false);
    expect(listings.isReported(again)).to.equal(false);
  });

  it('reports folders as unwatched when the limit is too low or the file system has no events', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a/b'), { recursive: true });
    await using tooSmall = new WatchedListings(folder.path, { limit: 2 });
    for (let n = 0; n < 4; n++) expect((await tooSmall.list({ ruta: 'a/b' })).vigencia).to.equal(undefined);
    await tooSmall.heartbeat();
    const limits = tooSmall.messages.flatMap(({ noVigiladas }) => noVigiladas);
    expect(limits).to.deep.equal([{ carpeta: 'a/b', motivo: Motivo.MOTIVO_LIMITE }]);

    expect(statfsSync('/proc').type).to.equal(0x9fa0);
    await using withoutEvents = new WatchedListings('/proc/sys');
    for (let n = 0; n < 4; n++)
      expect((await withoutEvents.list({ ruta: 'fs' })).vigencia).to.equal(undefined);
    await withoutEvents.heartbeat();
    const unwatched = withoutEvents.messages.flatMap(({ noVigiladas }) => noVigiladas);
    expect(unwatched).to.deep.equal([{ carpeta: '', motivo: Motivo.MOTIVO_SIN_EVENTOS }]);
  });

  const unwatchable: Readonly<Record<string, (root: string) => void>> = {
    'a file has a hard link outside of it': (root) => {
      writeFileSync(join(dirname(root), 'otra'), '');
      linkSync(join(dirname(root), 'otra'), join(root, 'aquí'));
    },
    'it has a symbolic link': (root) => symlinkSync('nada', join(root, 'enlace')),
    'it has too many subfolders': (root) => {
      for (let n = 0; n < 65; n++) mkdirSync(join(root, `${n}`));
    },
  };
  for (const [reason, plant] of Object.entries(unwatchable)) {
    it(`gives no validity for a folder when ${reason}`, async () => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('raíz'));
      plant(folder.join('raíz'));
      await using listings = new WatchedListings(folder.join('raíz'));
      for (let n = 0; n < 4; n++) expect((await listings.list()).vigencia).to.equal(undefined);
      expect((await listings.list({ recursivo: true })).vigencia).to.equal(undefined);
    });
  }

  it('gives no validity for a page when a subfolder changed before it was watched', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a'));
    const root = openRoot(folder.path);
    const watcher = new ChangeWatcher(root, { limit: 10 });
    const abort = new AbortController();
    const feed = watcher.listen([abort.signal]);
    await feed.next();
    const query = { parts: [], kinds: kindFilter([]), hidden: false, depth: 1, limit: 10, cursor: undefined };
    const read = () => listFolder(root, { ...query, order: 'nombre', descending: false }, abort.signal);
    watcher.begin([]);
    const watch = watcher.begin([]);
    const page = await read();
    writeFileSync(folder.join('a/nuevo'), '');
    utimesSync(folder.join('a'), 1, 1);
    expect(watch && watcher.validityOf(watch, page)).to.equal(undefined);
    const next = watcher.begin([]);
    expect(next && watcher.validityOf(next, await read())).to.not.equal(undefined);
    abort.abort();
    await feed.return();
  });

  it('keeps valid only listings that equal a new one, after random changes of the tree', async () => {
    const path = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'a/b/a');
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant('use' as const), at: fc.oneof(path, fc.constant('')) }),
      },
      fc.record({ do: fc.constant('write' as const), at: path }),
      fc.record({ do: fc.constant('folder' as const), at: path }),
      fc.record({ do: fc.constant('remove' as const), at: path }),
      fc.record({ do: fc.constant('chmod' as const), at: path }),
      { weight: 2, arbitrary: fc.record({ do: fc.constant('check' as const), at: path }) },
      fc.record({ do: fc.constant('move' as const), at: path, to: path }),
    );
    const steps = fc.array(step, { minLength: 10, maxLength: 40 });
    let compared = 0;
    const holds = fc.asyncProperty(steps, fc.integer({ min: 2, max: 8 }), async (list, limit) => {
      using folder = new TemporaryFolder();
      mkdirSync(folder.join('a/b'), { recursive: true });
      await using listings = new WatchedListings(folder.path, { limit, beatMs: 2 });
      const check = async (): Promise<void> => {
        await listings.heartbeat();
        for (const [ruta, kept] of listings.cached) {
          compared += 1;
          const now = await listings.list({ ruta });
          expect({ ...kept, vigencia: undefined }, ruta).to.deep.equal({ ...now, vigencia: undefined });
        }
      };
      for (const step of list) {
        if (step.do === 'check') await check();
        else if (step.do !== 'use') change(folder.path, step);
        else for (let n = 0; n < 2; n++) await listings.listCached(step.at).catch(() => undefined);
      }
      await check();
    });
    await fc.assert(holds, { numRuns: 60 });
    // A run without comparisons would prove nothing. Their number depends on the random changes.
    expect(compared).to.be.greaterThan(20);
  });
});

/** Makes the change, unless the system refuses it. */
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
