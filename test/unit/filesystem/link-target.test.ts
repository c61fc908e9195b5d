import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { type ByteString, fromText, toText } from '../../../filesystem/byte-string.ts';
import { linkTarget } from '../../../filesystem/link-target.ts';
import { openRoot } from '../../../filesystem/root.ts';
import { inside } from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';

/** Makes `raíz` with `a/b`, `a/x` and links to its inside and outside; beside it `fuera/x` and `alias`, a link to `raíz`. */
function plantTree(): TemporaryFolder {
  const folder = new TemporaryFolder();
  mkdirSync(folder.join('raíz', 'a', 'b'), { recursive: true });
  mkdirSync(folder.join('fuera'));
  mkdirSync(folder.join('raíz-2'));
  writeFileSync(folder.join('raíz', 'a', 'x'), '');
  writeFileSync(folder.join('fuera', 'x'), '');
  symlinkSync('raíz', folder.join('alias'));
  symlinkSync('../fuera', folder.join('raíz', 'salida'));
  symlinkSync('../fuera/nada', folder.join('raíz', 'salida-rota'));
  symlinkSync('../raíz-2', folder.join('raíz', 'vecina'));
  symlinkSync('a', folder.join('raíz', 'entrada'));
  symlinkSync('lazo', folder.join('raíz', 'lazo'));
  return folder;
}

function targetOf(folder: TemporaryFolder, rootName: string, target: string | Buffer): string | undefined {
  symlinkSync(target, folder.join('raíz', 'a', 'enlace'));
  const root = openRoot(folder.join(rootName));
  using a = root.open([fromText('a')]);
  const path = linkTarget(a, 'enlace' as ByteString);
  return path === undefined ? undefined : toText(path).text;
}

describe("a link's target", () => {
  const cases: [string, string | undefined][] = [
    ['x', 'a/x'],
    ['b', 'a/b'],
    ['./b/../x', 'a/x'],
    ['b/', 'a/b'],
    ['../a/x', 'a/x'],
    ['..', ''],
    ['.', 'a'],
    ['../entrada/x', 'entrada/x'],
    ['../..', undefined],
    ['../../fuera/x', undefined],
    ['../../raíz-2', undefined],
    // Returns inside by the root's own name, but the path leads outside first.
    ['../../raíz/a/x', undefined],
    ['../salida', undefined],
    ['../vecina', undefined],
    ['../salida/x', undefined],
    // As text this is the root, but the system follows the link outside first.
    ['../salida/..', undefined],
    ['/', undefined],
    ['/proc/self/root', undefined],
    // Missing targets are judged by the part of the path that exists.
    ['nada', 'a/nada'],
    ['b/nada/nada', 'a/b/nada/nada'],
    ['../../nada', undefined],
    ['../salida/nada', undefined],
    ['../salida-rota', undefined],
    ['../salida-rota/nada', undefined],
    ['../lazo', undefined],
    ['x/nada', undefined],
    ['enlace', undefined],
  ];
  for (const [target, expected] of cases) {
    it(`is ${expected === undefined ? 'not shown' : `"${expected}"`} when the link says ${target}`, () => {
      using folder = plantTree();
      expect(targetOf(folder, 'raíz', target)).to.equal(expected);
    });
  }

  it('is found when it is absolute, by the real or the configured name of the root', () => {
    for (const written of ['alias/a/x', 'raíz/a/x', 'raíz/a/../a/x']) {
      using folder = plantTree();
      expect(targetOf(folder, 'alias', `${folder.path}/${written}`), written).to.equal('a/x');
    }
    for (const written of ['raíz-2', 'fuera/x', 'raíz/../fuera', 'raíz/salida/x']) {
      using folder = plantTree();
      expect(targetOf(folder, 'alias', `${folder.path}/${written}`), written).to.equal(undefined);
    }
  });

  it('is decoded from bytes that are not UTF-8', () => {
    using folder = plantTree();
    const name = Buffer.from([0xff, 0xfe]);
    writeFileSync(inside(folder.join('raíz', 'a'), name), '');
    expect(targetOf(folder, 'raíz', name)).to.equal('a/\ufffd\ufffd');
  });
});
