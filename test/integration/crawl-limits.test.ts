import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ByteString } from '../../filesystem/byte-string.ts';
import { hostileTree, plantTree } from '../support/files/hostile-tree.ts';
import { mutate, mutations } from '../support/files/mutations.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { CrawledIndex, entriesOf } from '../support/index/crawled.ts';
import { eventually } from '../support/processes/eventually.ts';
import { unprivileged } from '../support/processes/unprivileged.ts';

function plantFolders(folder: TemporaryFolder, count: number): void {
  for (let n = 0; n < count; n++) {
    mkdirSync(folder.join(`${n}`));
    writeFileSync(folder.join(`${n}`, 'uno'), '');
  }
}

async function untilEqual(crawled: CrawledIndex, root: string): Promise<void> {
  await eventually(() => {
    const same = JSON.stringify(crawled.entries()) === JSON.stringify(entriesOf(root));
    return same && crawled.stale(root).length === 0;
  });
}

describe('The crawler over folders without watches', () => {
  it('sweeps the folders beyond the watch limit, and reports how many are watched', async () => {
    using folder = new TemporaryFolder();
    plantFolders(folder, 40);
    await using crawled = new CrawledIndex(folder.path, { scanner: { watchLimit: 3 }, sweepMs: 50 });
    await crawled.settled();
    expect(crawled.watched).to.deep.equal([6, 41]);
    for (let n = 0; n < 40; n++) writeFileSync(folder.join(`${n}`, 'dos'), 'x'.repeat(n));
    for (let n = 0; n < 40; n += 3) rmSync(folder.join(`${n}`), { recursive: true });
    for (let n = 1; n < 40; n += 3) mkdirSync(folder.join(`${n}`, 'nueva', 'honda'), { recursive: true });
    await untilEqual(crawled, folder.path);
    expect(crawled.history).to.deep.equal(['listo']);
  });

  it('sweeps a file system that does not report changes', async () => {
    using folder = new TemporaryFolder();
    plantFolders(folder, 10);
    await using crawled = new CrawledIndex(folder.path, { here: { tellsChanges: () => false }, sweepMs: 20 });
    await crawled.settled();
    expect(crawled.watched).to.deep.equal([0, 11]);
    writeFileSync(folder.join('3', 'uno'), 'más');
    rmSync(folder.join('4', 'uno'));
    mkdirSync(folder.join('5', 'a', 'b'), { recursive: true });
    rmSync(folder.join('6'), { recursive: true });
    await untilEqual(crawled, folder.path);
    expect(crawled.crawler.ageMs).to.be.greaterThan(0);
  });

  it('gives as its age the time since the last sweep began, whatever happens in watched folders', async () => {
    using folder = new TemporaryFolder();
    plantFolders(folder, 40);
    await using crawled = new CrawledIndex(folder.path, { scanner: { watchLimit: 3 } });
    await crawled.settled();
    const settledAt = performance.now();
    // The root is watched.
    writeFileSync(folder.join('nuevo'), '');
    await eventually(() => crawled.index.find(0, 'nuevo' as ByteString) >= 0);
    const since = performance.now() - settledAt;
    expect(crawled.crawler.ageMs).to.be.at.least(since);
  });

  it('knows everything that is older than its age', async () => {
    using folder = new TemporaryFolder();
    plantFolders(folder, 40);
    await using crawled = new CrawledIndex(folder.path, { scanner: { watchLimit: 3 }, sweepMs: 100 });
    await crawled.settled();
    for (let n = 0; n < 40; n += 8) {
      writeFileSync(folder.join(`${n}`, 'dos'), '');
      const writtenAt = performance.now();
      await eventually(() => crawled.crawler.ageMs < performance.now() - writtenAt);
      const number = crawled.index.folderAt(`${n}` as ByteString) ?? -1;
      expect(crawled.index.find(number, 'dos' as ByteString)).to.be.at.least(0);
    }
  });

  it('watches every folder of a device whose first folder reports changes', async () => {
    using folder = new TemporaryFolder();
    plantFolders(folder, 4);
    const tellsChanges = ({ path }: { path: ByteString }): boolean => path !== '1';
    await using crawled = new CrawledIndex(folder.path, { here: { tellsChanges }, sweepMs: 60_000 });
    await crawled.settled();
    // The check is made once per device, at its first folder.
    expect(crawled.watched).to.deep.equal([5, 5]);
    expect(crawled.crawler.ageMs).to.equal(0);
  });

  it('equals a naive walk when nearly all events are lost', async () => {
    const inputs = fc.record({ tree: hostileTree, changes: mutations });
    await fc.assert(
      fc.asyncProperty(inputs, async ({ tree, changes }) => {
        using folder = plantTree(tree);
        await using crawled = new CrawledIndex(folder.path, { here: { capacity: 12 } });
        await crawled.settled();
        for (const change of changes) mutate(folder.path, change);
        await crawled.settled();
        expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
        expect(crawled.stale(folder.path)).to.deep.equal([]);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });

  it('reports folders that it may not read, and reads them once it may', async () => {
    using folder = new TemporaryFolder();
    plantFolders(folder, 4);
    mkdirSync(folder.join('2', 'honda'));
    chmodSync(folder.path, 0o755);
    await unprivileged(async () => {
      await using crawled = new CrawledIndex(folder.path);
      const errors = (): string[] =>
        crawled.crawler.unreadable
          .below('' as ByteString, true)
          .map(({ ruta, codigo }) => `${ruta} ${codigo}`)
          .toSorted((a, b) => (a < b ? -1 : 1));
      const allow = (name: string, mode: number): void => {
        process.seteuid?.(0);
        chmodSync(folder.join(name), mode);
        process.seteuid?.(65534);
      };
      await crawled.settled();
      expect(errors()).to.deep.equal([]);
      allow('1', 0o000);
      allow('2', 0o444);
      await crawled.settled();
      expect(errors()).to.deep.equal(['1 EACCES', '2 EACCES']);
      expect(crawled.entries()).to.have.lengthOf(6);
      allow('1', 0o755);
      await crawled.settled();
      expect(errors()).to.deep.equal(['2 EACCES']);
      allow('2', 0o755);
      await crawled.settled();
      expect(errors()).to.deep.equal([]);
      expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
    });
  });
});
