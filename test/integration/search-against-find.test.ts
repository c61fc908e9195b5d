import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import type { BuscarArchivosRequest } from '../../proto/gen/archivos/v1/busqueda.ts';
import { Mserv2 } from '../support/processes/mserv2.ts';

/** A large real tree with entries of every kind that is searched for. */
const root = '/usr/lib';

/** Returns the paths below the root that find(1) finds, in hex. */
function find(...tests: readonly string[]): string[] {
  const options = { encoding: 'latin1', maxBuffer: 1 << 28, env: { LC_ALL: 'C' } } as const;
  const found = execFileSync('find', [root, '-mindepth', '1', ...tests, '-printf', '%P\\0'], options);
  const paths = found === '' ? [] : found.slice(0, -1).split('\0');
  return paths.map((path) => Buffer.from(path, 'latin1').toString('hex')).sort(byUnits);
}

/** Returns the paths that mserv2 finds, in hex, over all pages and exact in case and accents. */
async function search(mserv2: Mserv2, query: Partial<BuscarArchivosRequest>): Promise<string[]> {
  const exact = {
    distinguirMayusculas: true,
    distinguirAcentos: true,
    ocultos: true,
    limite: 5000,
    orden: 3,
  } as const;
  const paths: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await mserv2.search({ ...exact, ...query, cursor });
    for (const { entrada } of page.archivos) {
      paths.push(Buffer.from(entrada?.rutaBytes ?? entrada?.ruta ?? '').toString('hex'));
    }
    cursor = page.siguiente;
  } while (cursor !== undefined);
  return paths.sort(byUnits);
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe('A search of /usr/lib', () => {
  const glob = (nombre: string): Partial<BuscarArchivosRequest> => ({ nombre, modo: 3 });
  const cases: readonly [string, readonly string[], Partial<BuscarArchivosRequest>][] = [
    ['everything', [], {}],
    ['a name', ['-name', 'README*'], glob('README*')],
    ['any case', ['-iname', '*readme*'], { ...glob('*readme*'), distinguirMayusculas: false }],
    ['an extension', ['-name', '*.so'], glob('*.so')],
    ['a class', ['-name', '[a-c]*[0-9].?'], glob('[a-c]*[0-9].?')],
    ['a negated class', ['-name', '*[!a-zA-Z0-9._-]*'], glob('*[!a-zA-Z0-9._-]*')],
    ['a part of a name', ['-name', '*python*'], { nombre: 'python', modo: 1 }],
    ['a beginning', ['-name', 'lib*'], { nombre: 'lib', modo: 4 }],
    ['an end', ['-name', '*.1.gz'], { nombre: '.1.gz', modo: 5 }],
    ['a whole name', ['-name', 'bin'], { nombre: 'bin', modo: 2 }],
    [
      'a regular expression',
      ['-regextype', 'posix-extended', '-regex', '.*/[a-z]{3}[0-9]+'],
      { nombre: '^[a-z]{3}[0-9]+$', modo: 6 },
    ],
    ['folders', ['-type', 'd'], { tipos: [2] }],
    ['links', ['-type', 'l'], { tipos: [3] }],
    ['large files', ['-type', 'f', '-size', '+1000000c'], { tipos: [1], bytesMin: 1_000_001 }],
    [
      'files of a size',
      ['-type', 'f', '-size', '-5000c', '-size', '+4000c'],
      { tipos: [1], bytesMin: 4001, bytesMax: 4999 },
    ],
    ['empty files', ['-type', 'f', '-empty'], { tipos: [1], bytesMax: 0 }],
    ['hidden entries', ['-name', '.*'], glob('.*')],
  ];

  it('equals the result of find by name, pattern, type, size and date', async () => {
    await using mserv2 = await Mserv2.start(root);
    await mserv2.searchUntilReady({ limite: 1 });
    for (const [name, tests, query] of cases) {
      expect(await search(mserv2, query), name).to.deep.equal(find(...tests));
    }
    const dates = ['-newermt', '2020-01-01 UTC', '!', '-newermt', '2023-01-01 UTC'];
    const [desde, hasta] = [new Date('2020-01-01T00:00:00.001Z'), new Date('2023-01-01T00:00:00.000Z')];
    const query = { modificadoDesde: desde, modificadoHasta: hasta, tipos: [1 as const] };
    expect(await search(mserv2, query), 'dates').to.deep.equal(find('-type', 'f', ...dates));
  });
});
