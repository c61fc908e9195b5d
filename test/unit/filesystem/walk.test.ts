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
  it('meets every entry once, and goes through no link', async () => {
    using folder = new TemporaryFolder();
    mkdirSync(folder.join('a', 'b'), { recursive: true });
    writeFileSync(folder.join('a', 'b', 'x'), '');
    linkSync(folder.join('a', 'b', 'x'), folder.join('x'));
    symlinkSync('..', folder.join('a', 'arriba'));
    for (const jail of [nativeJail, comparedJail]) {
      expect(await pathsIn(folder.path, jail)).to.deep.equal(['a', 'a/arriba', 'a/b', 'a/b/x', 'x']);
    }
  });

  it('holds a bounded number of descriptors in a deep tree, and finds back to what it closed', async function () {
    if (process.platform !== 'linux') this.skip();
    using folder = new TemporaryFolder();
    const planted: string[] = [];
    // The way down has siblings on both sides, so some are left for the way back, in whatever order a folder is read.
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
    // What an earlier test has left may be closed meanwhile.
    expect(descriptors()).to.be.at.most(before);
  });

  it('leaves out what vanishes or is replaced while it goes', async () => {
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

  it('closes what it opened when it is ended', async function () {
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
