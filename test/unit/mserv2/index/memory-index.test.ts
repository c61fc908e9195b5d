import { expect } from 'chai';
import fc from 'fast-check';
import type { ByteString } from '../../../../filesystem/byte-string.ts';
import { Kind } from '../../../../filesystem/kind.ts';
import { type EntryId, type FolderNumber, noEntry, rootFolder } from '../../../../mserv2/index/api.ts';
import { MemoryIndex } from '../../../../mserv2/index/memory-index.ts';
import { ReadView } from '../../../../mserv2/index/read-view.ts';
import { anyName, anySteps, IndexModel } from '../../../support/index/index-model.ts';

const text = (value: string) => value as ByteString;

/** Reads the index from the root down, and checks that its lookups agree. */
function listed(index: MemoryIndex): Map<ByteString, { kind: Kind; folders: number }> {
  const found = new Map<ByteString, { kind: Kind; folders: number }>();
  const folders = [rootFolder];
  for (const folder of folders) {
    const children = index.children(folder);
    expect(children.length).to.equal(index.childCount(folder));
    for (const entry of children) {
      const path = index.pathOf(entry);
      expect(found.has(path), 'no path twice').to.equal(false);
      expect(index.find(folder, index.nameOf(entry))).to.equal(entry);
      expect(index.parentOf(entry)).to.equal(folder);
      found.set(path, { kind: index.kindOf(entry), folders: folders.length });
      if (index.kindOf(entry) !== Kind.FOLDER) continue;
      const number = index.folderOf(entry);
      expect(index.hasFolder(number)).to.equal(true);
      expect(index.folderEntry(number)).to.equal(entry);
      expect(index.folderPath(number)).to.equal(path);
      expect(index.folderParent(number)).to.equal(folder);
      folders.push(number);
    }
  }
  expect(index.folders).to.equal(folders.length);
  expect(new Set(folders).size).to.equal(folders.length);
  return found;
}

describe('the index', () => {
  it('holds every entry from put to remove, for random steps and maintenance', () => {
    fc.assert(
      fc.property(anySteps(), (steps) => {
        const model = new IndexModel();
        for (const step of steps) model.step(step);
        const { index, entries } = model;
        expect(index.entries).to.equal(entries.size);
        const found = listed(index);
        expect([...found.keys()]).to.have.members([...entries.keys()]);
        for (const { path, kind, size, mtimeNs } of entries.values()) {
          expect(found.get(path)?.kind).to.equal(kind);
          const entry = model.find(path);
          expect(index.hasStats(entry)).to.equal(mtimeNs !== undefined);
          expect(index.sameStats(entry, size ?? 0, mtimeNs ?? 0n)).to.equal(mtimeNs !== undefined);
          expect(index.sameStats(entry, size ?? 0, (mtimeNs ?? 0n) + 1n)).to.equal(false);
          if (kind !== Kind.FOLDER)
            expect(index.sameStats(entry, (size ?? 0) - 1, mtimeNs ?? 0n)).to.equal(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('ends its maintenance, and frees the memory of removed entries', () => {
    fc.assert(
      fc.property(anySteps(), (steps) => {
        const model = new IndexModel();
        model.run(steps);
        for (const path of [...model.entries.keys()]) if (!path.includes('/')) model.remove(path);
        let rounds = 0;
        while (model.index.maintain()) expect(rounds++).to.be.lessThan(200);
        expect(model.index.entries).to.equal(0);
        expect(model.index.folders).to.equal(1);
        expect(model.index.segments.every(({ count }) => count === 0)).to.equal(true);
      }),
    );
  });

  it('gives the numbers of the folders that a removed folder contained', () => {
    fc.assert(
      fc.property(anySteps(), fc.nat(), (steps, choice) => {
        const model = new IndexModel();
        model.run(steps);
        const folders = model.folderPaths().slice(1);
        const path = folders[choice % Math.max(1, folders.length)];
        if (path === undefined) return;
        const below = folders.filter((other) => other === path || other.startsWith(`${path}/`));
        const numbers = below.map((other) => model.folder(other));
        expect(model.remove(path)).to.have.members(numbers);
        for (const number of numbers) expect(model.index.hasFolder(number)).to.equal(false);
      }),
    );
  });

  it('refuses another kind for a name, an empty name and a name in a removed folder', () => {
    const index = new MemoryIndex();
    const folder = index.folderOf(index.put(rootFolder, text('a'), Kind.FOLDER));
    expect(() => index.put(rootFolder, text('a'), Kind.FILE)).to.throw(RangeError);
    expect(index.put(rootFolder, text('a'), Kind.FOLDER)).to.equal(index.find(rootFolder, text('a')));
    index.remove(index.find(rootFolder, text('a')));
    expect(() => index.put(folder, text('b'), Kind.FILE)).to.throw(RangeError);
    expect(() => index.put(rootFolder, text(''), Kind.FILE)).to.throw(RangeError);
    expect(index.find(rootFolder, text('a'))).to.equal(noEntry);
  });

  it('has the entries of an appended listing in order, over several segments', () => {
    const anyListing = fc.uniqueArray(anyName, { maxLength: 60, size: 'max' });
    const anyKind = fc.constantFrom(Kind.FILE, Kind.FOLDER, Kind.LINK, Kind.OTHER);
    fc.assert(
      fc.property(anyListing, fc.infiniteStream(anyKind), (names, kinds) => {
        const index = new MemoryIndex({ segmentEntries: 8 });
        const kindOfName = names.map(() => kinds.next().value);
        const bytes = Buffer.from(['before', ...names, 'behind'].join('/'), 'latin1');
        const listing = { names: bytes, end: bytes.length, kinds: Uint8Array.from(kindOfName) };
        const folders: FolderNumber[] = [];
        const end = index.append(rootFolder, listing, 'before/'.length, 0, names.length, (folder) => {
          expect(index.hasFolder(folder)).to.equal(true);
          folders.push(folder);
        });
        expect(end).to.equal(bytes.length - 'behind'.length);
        const children = index.children(rootFolder);
        expect(children.map((entry) => index.nameOf(entry))).to.deep.equal(names);
        expect(children.map((entry) => index.kindOf(entry))).to.deep.equal(kindOfName);
        expect(names.map((name) => index.find(rootFolder, name))).to.deep.equal(children);
        const childFolders = children.filter((entry) => index.kindOf(entry) === Kind.FOLDER);
        expect(childFolders.map((entry) => index.folderOf(entry))).to.deep.equal(folders);
        while (index.maintain());
        expect(listed(index).size).to.equal(names.length);
      }),
    );
  });

  it('refuses names of no or too many bytes, and keeps nothing of the refused listing', () => {
    const index = new MemoryIndex();
    for (const name of ['', 'a'.repeat(4097), '\xc3\xb1'.repeat(2049), '\xff'.repeat(4097)]) {
      const bytes = Buffer.from(`${name}/b`, 'latin1');
      const listing = { names: bytes, end: bytes.length, kinds: Uint8Array.of(Kind.FILE, Kind.FILE) };
      expect(() => index.append(rootFolder, listing, 0, 0, 1, () => undefined)).to.throw(RangeError);
      const end = index.append(rootFolder, listing, name.length + 1, 1, 2, () => undefined);
      expect(end).to.equal(bytes.length + 1);
      expect(index.children(rootFolder).map((entry) => index.nameOf(entry))).to.deep.equal(['b']);
      index.remove(index.find(rootFolder, text('b')));
    }
  });

  it('drops names that were appended twice, in its maintenance or at a lookup', () => {
    const names = Buffer.from('a/b/a/d/c/d');
    const { FILE, FOLDER } = Kind;
    const listing = {
      names,
      end: names.length,
      kinds: Uint8Array.of(FILE, FILE, FILE, FOLDER, FILE, FOLDER),
    };
    for (const ask of [true, false]) {
      const index = new MemoryIndex();
      const folder = index.folderOf(index.put(rootFolder, text('f'), Kind.FOLDER));
      const newFolders: FolderNumber[] = [];
      const end = index.append(folder, listing, 0, 0, 3, (number) => newFolders.push(number));
      expect(end).to.equal(6);
      expect(index.append(folder, listing, 6, 3, 6, (number) => newFolders.push(number))).to.equal(12);
      const first = index.find(folder, text('a'));
      expect(newFolders).to.deep.equal([index.folderOf(index.find(folder, text('d')))]);
      if (ask) index.remove(index.find(folder, text('c')));
      while (index.maintain());
      const left = ask ? ['a', 'b', 'd'] : ['a', 'b', 'd', 'c'];
      expect(index.children(folder).map((entry) => index.nameOf(entry))).to.deep.equal(left);
      expect(index.find(folder, text('a'))).to.equal(first);
      expect(index.entries).to.equal(left.length + 1);
      expect(index.childCount(folder)).to.equal(left.length);
    }
  });

  it('keeps a stamp for each folder, which a new folder does not inherit', () => {
    const index = new MemoryIndex();
    const first = index.folderOf(index.put(rootFolder, text('a'), Kind.FOLDER));
    index.setFolderStamp(first, 1_700_000_000_123_456_789n);
    expect(index.folderStamp(first)).to.equal(1_700_000_000_123_456_789n);
    index.remove(index.find(rootFolder, text('a')));
    expect(index.folderStamp(index.folderOf(index.put(rootFolder, text('b'), Kind.FOLDER)))).to.equal(0n);
  });

  it('counts its changes, and not a put without effect', () => {
    const index = new MemoryIndex();
    const entry = index.put(rootFolder, text('a'), Kind.FILE);
    const { changes } = index;
    index.put(rootFolder, text('a'), Kind.FILE);
    expect(index.changes, 'a put without effect').to.equal(changes);
    index.setStats(entry, 1, 1n);
    index.remove(entry);
    expect(index.changes).to.be.greaterThan(changes + 1);
  });

  it('gives a read view its paths unchanged during later steps and maintenance', () => {
    fc.assert(
      fc.property(anySteps(), anySteps(80), (before, during) => {
        const model = new IndexModel();
        model.run(before);
        using view = new ReadView(model.index);
        const known = [...model.entries.values()].map((modelled) => ({
          modelled,
          path: modelled.path,
          entry: model.find(modelled.path),
        }));
        for (const step of during) {
          model.step(step);
          for (const { path, entry } of known) expect(view.pathOf(entry)).to.equal(path);
        }
        for (const { entry, modelled } of known) {
          if (model.entries.get(modelled.path) === modelled) expect(view.isThere(entry)).to.equal(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reuses the number of a removed folder only when no read view is open', () => {
    const index = new MemoryIndex();
    const folder = index.folderOf(index.put(rootFolder, text('a'), Kind.FOLDER));
    const entry = index.put(folder, text('x'), Kind.FILE);
    const maintainFully = () => {
      while (index.maintain());
    };
    const view = new ReadView(index);
    index.remove(index.folderEntry(folder));
    maintainFully();
    expect(index.folderOf(index.put(rootFolder, text('b'), Kind.FOLDER))).not.to.equal(folder);
    expect(view.pathOf(entry)).to.equal('a/x');
    view[Symbol.dispose]();
    maintainFully();
    expect(index.folderOf(index.put(rootFolder, text('c'), Kind.FOLDER))).to.equal(folder);
    expect(index.folderPath(folder)).to.equal('c');
    expect(index.folderAt(text('a'))).to.equal(undefined);
    expect(index.children(folder)).to.deep.equal([]);
  });

  it('reads at most two names per path of a deep chain of folders, and looks up as many per path', () => {
    let read = 0;
    let looked = 0;
    class CountingIndex extends MemoryIndex {
      override nameOf(entry: EntryId): ByteString {
        read++;
        return super.nameOf(entry);
      }
      override find(folder: FolderNumber, name: ByteString): EntryId {
        looked++;
        return super.find(folder, name);
      }
    }
    const levels = 1000;
    const index = new CountingIndex();
    const folders = [rootFolder];
    const entries: EntryId[] = [];
    for (const folder of folders) {
      entries.push(index.put(folder, text('x'), Kind.FILE));
      if (folders.length < levels) folders.push(index.folderOf(index.put(folder, text('d'), Kind.FOLDER)));
    }
    for (const order of [folders, folders.toReversed()]) {
      read = 0;
      looked = 0;
      const paths = order.map((folder) => index.folderPath(folder));
      expect(paths.map((path) => path.replaceAll('/', '').length)).to.deep.equal(
        order.map((folder) => folders.indexOf(folder)),
      );
      expect(paths.map((path) => index.folderAt(path))).to.deep.equal(order);
      expect(
        [read, looked].every((names) => names <= 2 * levels),
        `${read}, ${looked}`,
      ).to.equal(true);
    }
    read = 0;
    expect(entries.map((entry) => index.pathOf(entry)).every((path) => path.endsWith('x'))).to.equal(true);
    expect(read).to.be.at.most(3 * levels);
  });
});
