import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { type ByteString, fromText, toText } from '../../../filesystem/byte-string.ts';
import { linkTarget } from '../../../filesystem/link-target.ts';
import { openRoot } from '../../../filesystem/root.ts';
import { inside } from '../../support/files/hostile-tree.ts';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';

/** `raíz` with `a/b`, `a/x`, links in and out; `fuera/x` beside it; `alias`, a link to `raíz`. */
function house(): TemporaryFolder {
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
    // Back inside, over the root's own name: the way leads outside.
    ['../../raíz/a/x', undefined],
    ['../salida', undefined],
    ['../vecina', undefined],
    ['../salida/x', undefined],
    // By its letters this is the root; the system goes out by the link first.
    ['../salida/..', undefined],
    ['/', undefined],
    ['/proc/self/root', undefined],
    // Missing targets: what exists of the way decides.
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
  for (const [written, expected] of cases) {
    it(`written as ${written} is ${expected ?? 'not told'}`, () => {
      using folder = house();
      expect(targetOf(folder, 'raíz', written)).to.equal(expected);
    });
  }

  it('may be absolute, by the real name of the root or by the configured one', () => {
    for (const written of ['alias/a/x', 'raíz/a/x', 'raíz/a/../a/x']) {
      using folder = house();
      expect(targetOf(folder, 'alias', `${folder.path}/${written}`), written).to.equal('a/x');
    }
    for (const written of ['raíz-2', 'fuera/x', 'raíz/../fuera', 'raíz/salida/x']) {
      using folder = house();
      expect(targetOf(folder, 'alias', `${folder.path}/${written}`), written).to.equal(undefined);
    }
  });

  it('is bytes', () => {
    using folder = house();
    const name = Buffer.from([0xff, 0xfe]);
    writeFileSync(inside(folder.join('raíz', 'a'), name), '');
    expect(targetOf(folder, 'raíz', name)).to.equal('a/\ufffd\ufffd');
  });
});
