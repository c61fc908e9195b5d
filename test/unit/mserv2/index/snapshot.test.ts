import { expect } from 'chai';
import fc from 'fast-check';
import { fromBytes } from '../../../../filesystem/byte-string.ts';
import { Kind } from '../../../../filesystem/kind.ts';
import { rootFolder, SnapshotError } from '../../../../mserv2/index/api.ts';
import { MemoryIndex } from '../../../../mserv2/index/memory-index.ts';
import { readSnapshot } from '../../../../mserv2/index/snapshot-reader.ts';
import { writeSnapshot } from '../../../../mserv2/index/snapshot-writer.ts';
import { anySteps, IndexModel } from '../../../support/index/index-model.ts';

const text = (name: string) => fromBytes(Buffer.from(name));
const identity = 'dev 1, ino 2: /srv/archivos';

function snapshotOf(index: MemoryIndex): Buffer {
  return Buffer.concat([...writeSnapshot(index, identity)]);
}

function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function faultOf(bytes: Buffer, wanted = identity): unknown {
  try {
    readSnapshot([bytes], wanted);
    return undefined;
  } catch (error) {
    return error instanceof SnapshotError ? error.fault : error;
  }
}

/** Compares the index with the model: the counts, and the kind and stats of each path. */
function expectSame(index: MemoryIndex, { entries, index: original }: IndexModel): void {
  const copy = new IndexModel(index);
  expect(index.entries).to.equal(entries.size);
  expect(index.folders).to.equal(original.folders);
  for (const { path, kind, size, mtimeNs } of entries.values()) {
    const entry = copy.find(path);
    expect(index.kindOf(entry)).to.equal(kind);
    expect(index.hasStats(entry)).to.equal(mtimeNs !== undefined);
    if (mtimeNs !== undefined) expect(index.sameStats(entry, size ?? 0, mtimeNs)).to.equal(true);
  }
}

function reload(model: IndexModel, size = 1 << 20): IndexModel {
  const copy = new IndexModel(readSnapshot(pieces(snapshotOf(model.index), size), identity));
  for (const entry of model.entries.values()) copy.entries.set(entry.path, entry);
  return copy;
}

describe('a snapshot of the index', () => {
  it('loads as a copy with the same entries and stamps, which then changes like the original', () => {
    fc.assert(
      fc.property(anySteps(), anySteps(), fc.integer({ min: 1, max: 100 }), (before, after, size) => {
        const model = new IndexModel();
        model.run(before);
        for (const [i, path] of model.folderPaths().entries()) {
          model.index.setFolderStamp(model.folder(path), BigInt(i) * 1_700_000_000_123_456_789n);
        }
        const copy = reload(model, size);
        expectSame(copy.index, model);
        for (const path of model.folderPaths()) {
          const stamp = model.index.folderStamp(model.folder(path));
          expect(copy.index.folderStamp(copy.folder(path))).to.equal(stamp);
        }
        copy.run(after);
        expectSame(copy.index, copy);
        for (const path of copy.folderPaths()) {
          const children = copy.index.children(copy.folder(path));
          expect(children.length).to.equal(copy.index.childCount(copy.folder(path)));
        }
        expect(model.index.readViews.size).to.equal(0);
      }),
    );
  });

  it('has every entry that stays when the index changes while it is written', () => {
    fc.assert(
      fc.property(anySteps(80), anySteps(80), (before, during) => {
        const model = new IndexModel();
        model.run(before);
        const stays = new Map(model.entries);
        const chunks: Buffer[] = [];
        const steps = [...during];
        for (const chunk of writeSnapshot(model.index, identity)) {
          chunks.push(chunk);
          for (const step of steps.splice(0, 5)) {
            const victim = model.victimOf(step);
            for (const path of stays.keys()) {
              if (path === victim || path.startsWith(`${victim}/`)) stays.delete(path);
            }
            model.step(step);
          }
        }
        const copy = new IndexModel(readSnapshot(chunks, identity));
        for (const { path, kind } of stays.values())
          expect(copy.index.kindOf(copy.find(path))).to.equal(kind);
      }),
    );
  });

  it('has every entry that stays when more folders pass than stay while it is written', () => {
    const index = new MemoryIndex();
    index.put(rootFolder, text('before'), Kind.FILE);
    const chunks: Buffer[] = [];
    for (const chunk of writeSnapshot(index, identity)) {
      chunks.push(chunk);
      if (chunks.length > 2) continue;
      for (let i = 0; i < 20; i++) index.remove(index.put(rootFolder, text('passing'), Kind.FOLDER));
      index.put(rootFolder, text(`stays ${chunks.length}`), Kind.FOLDER);
    }
    const copy = readSnapshot(chunks, identity);
    expect(copy.entries).to.equal(3);
    expect(copy.folders).to.equal(3);
  });

  it('is refused when it is cut, altered, foreign or of another version', () => {
    const model = new IndexModel();
    model.run(fc.sample(anySteps(), { seed: 1, numRuns: 5 }).flat());
    const bytes = snapshotOf(model.index);
    expect(faultOf(bytes)).to.equal(undefined);
    expect(faultOf(bytes, 'another')).to.equal('identity');
    expect(faultOf(Buffer.alloc(0))).to.equal('version');
    expect(faultOf(Buffer.from('something else altogether'))).to.equal('version');
    expect(faultOf(Buffer.concat([bytes, Buffer.of(0)]))).to.equal('corrupt');
    for (let length = 12; length < bytes.length; length++) {
      expect(faultOf(bytes.subarray(0, length)), `cut at ${length}`).to.equal('corrupt');
    }
    for (let at = 0; at < bytes.length; at++) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
      expect(faultOf(altered), `altered at ${at}`).to.be.oneOf(
        at < 12 ? ['version'] : ['corrupt', 'identity'],
      );
    }
  });
});
