import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Jail, nativeJail } from '../../filesystem/jail.ts';
import { Slices } from '../../filesystem/slices.ts';
import { hostileTree, plantTree } from '../support/files/hostile-tree.ts';
import { type Mutation, mutate, mutations } from '../support/files/mutations.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { CrawledIndex, entriesOf } from '../support/index/crawled.ts';

describe('The crawler', () => {
  it('knows the whole tree after the first crawl and after every change', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a/b/c'), { recursive: true });
    writeFileSync(folder.join('a/uno'), '1');
    await using crawled = new CrawledIndex(folder.path);
    await crawled.settled();
    expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
    expect(crawled.stale(folder.path)).to.deep.equal([]);
    writeFileSync(folder.join('a/b/dos'), '22');
    writeFileSync(folder.join('a/uno'), '333');
    mkdirSync(folder.join('x/y/z'), { recursive: true });
    writeFileSync(folder.join('x/y/z/tres'), '22');
    await crawled.settled();
    expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
    expect(crawled.stale(folder.path)).to.deep.equal([]);
    renameSync(folder.join('x'), folder.join('a/b/x'));
    rmSync(folder.join('a/uno'));
    await crawled.settled();
    expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
    writeFileSync(folder.join('a/b/x/y/z/cuatro'), '22');
    rmSync(folder.join('a/b/c'), { recursive: true });
    await crawled.settled();
    expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
    expect(crawled.stale(folder.path)).to.deep.equal([]);
  });

  it('scans a deep tree that is moved in without beginning at the root for each of its folders', async () => {
    using folder = new TemporaryFolder();
    using away = new TemporaryFolder();
    const levels = 400;
    mkdirSync(away.join(Array(levels).fill('d').join('/')), { recursive: true });
    let began = 0;
    const jail: Jail = {
      enterRoot: (root) => {
        began++;
        return nativeJail.enterRoot(root);
      },
      enter: (...folders) => nativeJail.enter(...folders),
    };
    await using crawled = new CrawledIndex(folder.path, { here: { jail } });
    await crawled.settled();
    began = 0;
    renameSync(away.join('d'), folder.join('d'));
    await crawled.settled();
    expect(crawled.index.folders).to.equal(levels + 1);
    // The scanners let their folders go after a while, and the crawler checks the root every second.
    expect(began).to.be.lessThan(levels / 2);
  });

  it('finishes while searches run without a pause', async () => {
    using folder = new TemporaryFolder();
    for (let n = 0; n < 300; n++) mkdirSync(folder.join(`${n % 10}/${n}/x`), { recursive: true });
    await using crawled = new CrawledIndex(folder.path);
    const slices = new Slices(new AbortController().signal);
    while (crawled.crawler.knowledge !== 'listo') await slices.next();
    expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
  });

  it('equals a naive walk after any changes, during the crawl or later', async () => {
    const inputs = fc.record({
      tree: hostileTree,
      rounds: fc.array(mutations, { minLength: 1, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(inputs, async ({ tree, rounds }) => {
        using folder = plantTree(tree);
        // The first round of changes runs during the crawl.
        await using crawled = new CrawledIndex(folder.path);
        for (const round of rounds) {
          await inBursts(folder.path, round);
          await crawled.settled();
          expect(crawled.entries()).to.deep.equal(entriesOf(folder.path));
          expect(crawled.stale(folder.path)).to.deep.equal([]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** Applies the changes with pauses in between, so that their events arrive in parts. */
async function inBursts(root: string, round: readonly Mutation[]): Promise<void> {
  for (const [n, mutation] of round.entries()) {
    mutate(root, mutation);
    if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, n % 3));
  }
}
