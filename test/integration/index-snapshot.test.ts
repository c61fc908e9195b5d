import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { expect } from 'chai';
import { type BuscarArchivosResponse, EstadoIndice } from '../../proto/gen/archivos/v1/busqueda.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { Mserv2 } from '../support/processes/mserv2.ts';

/** Creates a served folder, and the path of its snapshot beside it. */
function setUp(): { folder: TemporaryFolder; root: string; file: string } {
  const folder = new TemporaryFolder();
  const root = folder.join('raíz');
  for (let n = 0; n < 30; n++) {
    mkdirSync(folder.join('raíz', `carpeta ${n}`, 'sub'), { recursive: true });
    for (let m = 0; m < 10; m++) writeFileSync(folder.join('raíz', `carpeta ${n}`, 'sub', `${m}`), 'x');
  }
  return { folder, root, file: folder.join('data', 'índice.snapshot') };
}

/** Runs mserv2 until its index is complete, then stops it. */
async function runOnce(root: string, file: string): Promise<void> {
  await using mserv2 = await Mserv2.start(root, { MSERV2_SNAPSHOT: file });
  await mserv2.searchUntilReady();
}

/** Returns the logged reason for not using the snapshot. */
function fault(mserv2: Mserv2): unknown {
  return mserv2.proc.lines.find((line) => line['fault'] !== undefined)?.['fault'];
}

const paths = ({ archivos }: BuscarArchivosResponse): (string | undefined)[] =>
  archivos.map(({ entrada }) => entrada?.ruta);

describe('An index snapshot', () => {
  it('is one complete file that only its owner may read', async () => {
    const { folder, root, file } = setUp();
    using _ = folder;
    await runOnce(root, file);
    expect(readdirSync(folder.join('data'))).to.deep.equal(['índice.snapshot']);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('answers at once after a restart, and is checked against the tree', async () => {
    const { folder, root, file } = setUp();
    using _ = folder;
    await runOnce(root, file);
    const at = (...parts: string[]): string => folder.join('raíz', ...parts);
    writeFileSync(at('carpeta 1', 'sub', 'nuevo'), '');
    rmSync(at('carpeta 2', 'sub', '3'));
    rmSync(at('carpeta 3'), { recursive: true });
    mkdirSync(at('carpeta 4', 'otra', 'honda'), { recursive: true });
    writeFileSync(at('carpeta 4', 'otra', 'honda', 'nuevo'), '');
    rmSync(at('carpeta 5', 'sub'), { recursive: true });
    writeFileSync(at('carpeta 5', 'sub'), 'ahora un archivo');
    // These changes do not touch the mtime of their folders.
    appendFileSync(at('carpeta 6', 'sub', '0'), 'x'.repeat(999));
    lutimesSync(at('carpeta 7', 'sub', '0'), 1, Date.UTC(2001, 0) / 1000);

    await using mserv2 = await Mserv2.start(root, { MSERV2_SNAPSHOT: file });
    const answers = await mserv2.searchUntilReady({ tipos: [1], limite: 1000, orden: 3 });
    const states = new Set(answers.map(({ indice }) => indice?.estado));
    expect([...states]).to.not.include(EstadoIndice.ESTADO_INDICE_CONSTRUYENDO);
    for (const { completo, total } of answers.slice(0, -1)) {
      expect(completo).to.equal(false);
      expect(total).to.be.greaterThan(0);
    }
    expect(answers.at(-1)).to.include({ total: 300 - 10 - 10 - 1 + 3, completo: true });
    const found = async (query: object): Promise<unknown> =>
      paths(await mserv2.search({ orden: 3, ...query }));
    expect(await found({ nombre: 'nuevo' })).to.deep.equal([
      'carpeta 1/sub/nuevo',
      'carpeta 4/otra/honda/nuevo',
    ]);
    expect(await found({ bytesMin: 1000 })).to.deep.equal(['carpeta 6/sub/0']);
    expect(await found({ modificadoHasta: new Date('2002-01-01') })).to.deep.equal(['carpeta 7/sub/0']);
    expect(await found({ ruta: 'carpeta 2/sub', nombre: '3' })).to.deep.equal([]);
    // The tree is watched again.
    writeFileSync(at('carpeta 8', 'sub', 'después'), '');
    expect(await found({ nombre: 'después' })).to.deep.equal(['carpeta 8/sub/después']);
  });

  for (const [state, damage] of [
    ['cut', (file: string) => truncateSync(file, statSync(file).size - 5)],
    ['empty', (file: string) => truncateSync(file, 0)],
    [
      'altered',
      (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    ['no snapshot at all', (file: string) => writeFileSync(file, 'x'.repeat(10_000))],
  ] as const) {
    it(`is ignored and written again when it is ${state}`, async () => {
      const { folder, root, file } = setUp();
      using _ = folder;
      await runOnce(root, file);
      damage(file);
      {
        await using mserv2 = await Mserv2.start(root, { MSERV2_SNAPSHOT: file });
        expect((await mserv2.searchUntilReady({ tipos: [1] })).at(-1)?.total).to.equal(300);
        expect(fault(mserv2)).to.be.oneOf(['corrupt', 'version']);
      }
      await using mserv2 = await Mserv2.start(root, { MSERV2_SNAPSHOT: file });
      await mserv2.searchUntilReady();
      expect(fault(mserv2)).to.equal(undefined);
    });
  }

  it('is ignored when it belongs to another root', async () => {
    const { folder, root, file } = setUp();
    using _ = folder;
    await runOnce(root, file);
    mkdirSync(folder.join('otra'));
    writeFileSync(folder.join('otra', 'uno'), '');
    const other = folder.join('data', 'otra.snapshot');
    copyFileSync(file, other);
    await using mserv2 = await Mserv2.start(folder.join('otra'), { MSERV2_SNAPSHOT: other });
    const answers = await mserv2.searchUntilReady();
    expect(fault(mserv2)).to.equal('identity');
    for (const answer of answers) expect(paths(answer).filter((path) => path !== 'uno')).to.deep.equal([]);
  });

  it('is optional: searches go on when it cannot be written', async () => {
    const { folder, root } = setUp();
    using _ = folder;
    writeFileSync(folder.join('data'), 'no folder');
    const file = folder.join('data', 'índice.snapshot');
    await using mserv2 = await Mserv2.start(root, { MSERV2_SNAPSHOT: file });
    await mserv2.searchUntilReady();
    await mserv2.proc.waitFor((line) => line.msg === 'the index could not be saved');
    expect((await mserv2.search({ tipos: [1] })).total).to.equal(300);
    expect(existsSync(file)).to.equal(false);
  });
});
