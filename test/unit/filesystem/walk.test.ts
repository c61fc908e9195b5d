import { linkSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { fromText } from '../../../filesystem/byte-string.ts';
import { comparedJail, type Jail, nativeJail } from '../../../filesystem/jail.ts';
import { openRoot } from '../../../filesystem/root.ts';
import { Slices } from '../../../filesystem/slices.ts';
import { outside } from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { type WalkOptions, walk } from '../../support/files/walk.ts';

function walkOptions(path: string, visit: WalkOptions['visit'], jail: Jail = nativeJail): WalkOptions {
  const slices = new Slices(new AbortController().signal);
  return { root: openRoot(path, jail), start: [], hidden: true, slices, visit };
}

async function pathsIn(path: string, jail?: Jail): Promise<string[]> {
  const paths: string[] = [];
  await walk(walkOptions(path, (at) => paths.push(at), jail));
  return paths.sort((a, b) => (a < b ? -1 : 1));
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a walk', () => {
  it('visits every entry once and follows no link', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a', 'b'), { recursive: true });
    writeFileSync(folder.join('a', 'b', 'x'), '');
    linkSync(folder.join('a', 'b', 'x'), folder.join('x'));
    symlinkSync('..', folder.join('a', 'arriba'));
    for (const jail of [nativeJail, comparedJail]) {
      expect(await pathsIn(folder.path, jail)).to.deep.equal(['a', 'a/arriba', 'a/b', 'a/b/x', 'x']);
    }
  });

  it('holds at most 70 descriptors in a deep tree, and visits the siblings of closed folders too', async function () {
    if (process.platform !== 'linux') this.skip();
    using folder = new TemporaryFolder();
    const planted: string[] = [];
    // `d` leads down and has siblings before and after it, so that in any order some are read on the way back.
    for (let depth = 0; depth < 150; depth++) {
      const path = 'd/'.repeat(depth);
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
        mkdirSync(folder.join(path, name), { recursive: true });
        planted.push(`${path}${name}`);
        if (name === 'd') continue;
        writeFileSync(folder.join(path, name, `${depth}`), '');
        planted.push(`${path}${name}/${depth}`);
      }
    }
    const before = descriptors();
    let most = 0;
    const met: string[] = [];
    const errors = await walk(
      walkOptions(folder.path, (path) => {
        met.push(path);
        most = Math.max(most, descriptors());
      }),
    );
    expect(met).to.have.members(planted);
    expect(errors.items()).to.deep.equal([]);
    expect(most - before).to.be.within(10, 70);
    // Descriptors of earlier tests may be closed meanwhile.
    expect(descriptors()).to.be.at.most(before);
  });

  it('leaves out folders that vanish or are replaced before it reads them', async () => {
    using folder = new TemporaryFolder();
    for (const name of ['a', 'b', 'c']) mkdirSync(folder.join(name, 'x'), { recursive: true });
    const met: string[] = [];
    const errors = await walk(
      walkOptions(folder.path, (path) => {
        met.push(path);
        if (met.length !== 3) return;
        rmSync(folder.join('a'), { recursive: true });
        renameSync(folder.join('b'), folder.join('antes'));
        symlinkSync(outside(), folder.join('b'));
        renameSync(folder.join('c'), folder.join('entonces'));
        writeFileSync(folder.join('c'), '');
      }),
    );
    expect(met).to.have.members(['a', 'b', 'c']);
    expect(errors.items()).to.deep.equal([]);
  });

  it('closes its descriptors when the visitor throws', async function () {
    if (process.platform !== 'linux') this.skip();
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a', 'b', 'c', 'd'), { recursive: true });
    const before = descriptors();
    const reason = new Error('gone');
    const walking = walk(
      walkOptions(folder.path, (path) => {
        if (path === fromText('a/b/c')) throw reason;
      }),
    );
    expect(await walking.catch((error: unknown) => error)).to.equal(reason);
    expect(descriptors()).to.equal(before);
  });
});
