import { expect } from 'chai';
import { type ByteString, fromText } from '../../../../filesystem/byte-string.ts';
import { FileError } from '../../../../filesystem/file-error.ts';
import { Kind } from '../../../../filesystem/kind.ts';
import { rootFolder } from '../../../../mserv2/index/api.ts';
import { MemoryIndex } from '../../../../mserv2/index/memory-index.ts';
import { search } from '../../../../mserv2/index/search.ts';
import type { SearchQuery } from '../../../../mserv2/index/search-api.ts';
import { anything, indexOf, withoutPause } from '../../../support/index/index-query.ts';

type Query = Partial<SearchQuery>;

async function find(paths: readonly string[], query: Query): Promise<string[]> {
  const { hits } = await search(
    indexOf(paths.map(fromText)),
    { ...anything, kinds: new Set([Kind.FILE]), ...query },
    withoutPause,
  );
  return hits.map(({ path }) => Buffer.from(path, 'latin1').toString());
}

async function reasonOf(query: Query): Promise<unknown> {
  try {
    await search(indexOf([fromText('a'.repeat(200))]), { ...anything, ...query }, withoutPause);
    return undefined;
  } catch (error) {
    return error instanceof FileError ? `${error.code} ${error.reason}` : error;
  }
}

describe('a search of the index', () => {
  it('ignores case and accents unless they are to be distinguished', async () => {
    const names = ['Informe Técnico.pdf', 'INFORME TECNICO', 'te\u0301cnico', 'tecno'];
    expect(await find(names, { nombre: 'técnico' })).to.have.members(names.slice(0, 3));
    expect(await find(names, { nombre: 'TECNICO' })).to.have.members(names.slice(0, 3));
    const exact = { case: false, accents: false };
    expect(await find(names, { nombre: 'Técnico', folding: exact })).to.deep.equal(['Informe Técnico.pdf']);
  });

  it('distinguishes ñ from n, composed or decomposed, when accents count', async () => {
    const names = ['año', 'an\u0303o', 'ano', 'AÑO'];
    const folding = { case: true, accents: false };
    expect(await find(names, { nombre: 'ano' })).to.have.members(names);
    expect(await find(names, { nombre: 'año', folding })).to.have.members(['año', 'an\u0303o', 'AÑO']);
    expect(
      await find(names, { nombre: 'an\u0303o', folding: { case: false, accents: false } }),
    ).to.have.members(['año', 'an\u0303o']);
    expect(await find(names, { nombre: 'ano', folding })).to.deep.equal(['ano']);
  });

  it('folds case by the full table of Unicode, in all modes that compare text', async () => {
    const same = [
      ['STRASSE', 'straße', 'STRAẞE', 'Strasse'],
      ['IŞIK', 'ışık', 'Işık', 'isik'],
      ['İSTANBUL', 'istanbul', 'ıstanbul'],
      ['οδος', 'ΟΔΟΣ', 'οδοσ', 'ΌΔΟΣ'],
      ['ﬁnal ﬂow oﬃce', 'FINAL FLOW OFFICE', 'final flow office'],
      ['ᾠδή', 'ωδη', 'ΩΔΗ'],
      ['Ёлка', 'ЕЛКА', 'ёлка'],
      ['ŉx', 'ʼNX'],
    ];
    for (const names of same) {
      for (const nombre of names) {
        for (const mode of ['contiene', 'exacto', 'prefijo', 'sufijo', 'glob', 'difuso'] as const) {
          expect(await find(names, { nombre, mode }), `${nombre} ${mode}`).to.have.members(names);
          expect(await find([...names, 'x'], { nombre: `"${nombre}" -x` })).to.include.members(
            nombre.endsWith('x') || nombre.endsWith('X') ? [] : names,
          );
        }
        const paths = names.map((name) => `${name}/${name}`);
        const query: Query = { nombre: `${nombre}/${nombre}`, mode: 'exacto', field: 'ruta' };
        expect(await find(paths, query)).to.have.members(paths);
      }
    }
    expect(await find(['a.ẞ', 'b.ss'], { extensions: ['ß'] })).to.have.lengthOf(2);
  });

  it('distinguishes letters that full case folding makes equal, when case or accents count', async () => {
    const counted = { case: false, accents: true };
    expect(await find(['STRASSE', 'straße'], { nombre: 'straße', folding: counted })).to.deep.equal([
      'straße',
    ]);
    const accents = { case: true, accents: false };
    expect(await find(['STRASSE', 'straße'], { nombre: 'strasse', folding: accents })).to.have.lengthOf(2);
    expect(await find(['ışık', 'işik'], { nombre: 'IŞIK', folding: accents })).to.deep.equal(['işik']);
    expect(await find(['İ.txt', 'i.txt'], { nombre: 'İ', folding: accents })).to.deep.equal(['İ.txt']);
    expect(await find(['ά', 'α', 'Ά'], { nombre: 'ά', folding: accents })).to.have.members(['ά', 'Ά']);
  });

  it('ignores marks only where they are accents, not vowel signs', async () => {
    const apart = [
      ['กิน', 'กัน', 'กน'],
      ['कि', 'की', 'क'],
      ['கா', 'கி', 'க'],
      ['が', 'か'],
      ['শি', 'শী', 'শ'],
      ['בָּ', 'ב'],
    ];
    for (const names of apart) {
      for (const nombre of names) {
        for (const mode of ['exacto', 'glob', 'difuso'] as const) {
          const found = await find(names, { nombre, mode });
          expect(found[0], `${nombre} ${mode}`).to.equal(nombre);
          if (mode !== 'difuso') expect(found).to.have.lengthOf(1);
        }
      }
    }
    for (const [one, other] of [
      ['Việt', 'viet'],
      ['й', 'и'],
      ['ώ', 'ω'],
      ['x\u0302', 'x'],
      ['❤\ufe0f', '❤'],
    ]) {
      expect(await find([one ?? '', other ?? ''], { nombre: one ?? '' })).to.have.lengthOf(2);
    }
  });

  it('matches whole syllables of Hangul only', async () => {
    expect(await find(['각', '가'], { nombre: '가' })).to.deep.equal(['가']);
    expect(await find(['각'.normalize('NFD')], { nombre: '?', mode: 'glob' })).to.have.lengthOf(1);
  });

  it('finds a name by its decodable part, and gives its bytes unchanged', async () => {
    const index = new MemoryIndex();
    const name = 'caf\xe9.txt' as ByteString;
    index.put(rootFolder, name, Kind.FILE);
    for (const nombre of ['caf', '.txt', 'CAF\ufffd']) {
      const { hits } = await search(index, { ...anything, nombre }, withoutPause);
      expect(hits.map(({ path }) => path)).to.deep.equal([name]);
    }
  });

  it('sorts by how well names match', async () => {
    const names = [
      'inform',
      'acta informe',
      'informes.pdf',
      'informe',
      'miinforme',
      'MiInforme',
      'x2informe',
      'informe.pdf',
    ];
    expect(await find(names, { nombre: 'informe' })).to.deep.equal([
      'informe',
      'informe.pdf',
      'informes.pdf',
      'MiInforme',
      'x2informe',
      'acta informe',
      'miinforme',
    ]);
  });

  it('gives the whole name first, then its beginning, also when a shorter name has all words', async () => {
    const names = ['copia de informe.txt', 'copia de copia de informe.txt'];
    for (const mode of ['contiene', 'difuso'] as const) {
      expect(await find(names, { nombre: names[1] ?? '', mode }), mode).to.deep.equal(names.toReversed());
    }
    const nombre = 'copia de copia de informe';
    expect(await find(names, { nombre })).to.deep.equal(names.toReversed());
    const paths = ['a/copia de informe.txt', 'long/folder/copia de copia de informe.txt'];
    expect(await find(paths, { nombre: names[1] ?? '', field: 'ruta' })).to.deep.equal(paths.toReversed());
    // Longer than what is scored in full.
    const long = `${'ab '.repeat(80)}c`;
    expect(
      (await find([`c ${'ba'.repeat(30)}`, `${long}c`, long], { nombre: long, mode: 'difuso' }))[0],
    ).to.equal(long);
  });

  it('finds the name that equals the query, even if a quote or a dash in it means something', async () => {
    for (const name of ['informe -ultimo', '-rf', '"a""b"', 'a "b', '"a" b']) {
      expect((await find([name, 'informe'], { nombre: name }))[0], name).to.equal(name);
    }
    expect(await find(['informe -ultimo', 'x informe'], { nombre: 'informe -ultimo' })).to.have.lengthOf(2);
    expect(await find(['a/informe -ultimo'], { nombre: 'informe -ultimo', field: 'ruta' })).to.have.lengthOf(
      1,
    );
  });

  it('takes as extension the text after a dot that is not the first character', async () => {
    const names = ['a.TXT', '.txt', 'txt', 'a.txt.gz', 'b.tar.gz', 'c.txtt'];
    expect(await find(names, { extensions: ['.txt'] })).to.deep.equal(['a.TXT']);
    expect(await find(names, { extensions: ['Tar.GZ', 'txt'] })).to.have.members(['a.TXT', 'b.tar.gz']);
  });

  it('matches regular expressions like RE2, with a dot for any character', async () => {
    const names = ['IMG_0001.jpg', 'img_12.JPG', 'img_.jpg', 'a\nb', 'árbol.txt'];
    expect(await find(names, { nombre: '^img_\\d+\\.jpg$', mode: 'regex' })).to.have.members(
      names.slice(0, 2),
    );
    expect(await find(names, { nombre: '^a.b$', mode: 'regex' })).to.deep.equal(['a\nb']);
    expect(await find(names, { nombre: '^[À-Ö]RBOL', mode: 'regex' })).to.deep.equal(['árbol.txt']);
    expect(await find(names, { nombre: '\\D+', mode: 'regex' })).to.have.members(names);
    expect(
      await find(names, { nombre: '^[A-Z]+_', mode: 'regex', folding: { case: false, accents: false } }),
    ).to.deep.equal(['IMG_0001.jpg']);
    expect(
      await find(['a/b/c.txt', 'a/c.txt'], { nombre: '^a/[^/]*$', mode: 'regex', field: 'ruta' }),
    ).to.deep.equal(['a/c.txt']);
  });

  it('finds a name with the characters of a glob by its text, before what the glob matches', async () => {
    const names = [
      'movie 1',
      'movie [1080p].mkv',
      'x movie [1080p].mkv.part',
      'what?',
      'what1',
      'so what?',
      '-*',
      '-a',
      'a*b',
    ];
    const cases: [string, string[]][] = [
      ['movie [1080p].mkv', ['movie [1080p].mkv', 'x movie [1080p].mkv.part']],
      ['MOVIE [1080p]', ['movie [1080p].mkv', 'x movie [1080p].mkv.part', 'movie 1']],
      ['[1080p] movie', ['movie [1080p].mkv', 'x movie [1080p].mkv.part']],
      ['movie [10', ['movie [1080p].mkv', 'x movie [1080p].mkv.part']],
      ['movie [z-a', []],
      ['what?', ['what?', 'so what?', 'what1']],
      ['-*', ['-*', '-a']],
      ['-[', []],
      ['*b', ['a*b']],
      ['*[0-9]', ['what1', 'movie 1']],
    ];
    for (const [nombre, expected] of cases) {
      const query: Query = { nombre, mode: 'literal-o-glob' };
      expect(await find(names, query), nombre).to.deep.equal(expected);
      expect(await find(names, { ...query, order: 'nombre' }), nombre).to.have.members(expected);
      const paths = names.map((name) => `folder/${name}`);
      const found = await find(paths, { ...query, nombre: `folder/${nombre}`, field: 'ruta' });
      expect(found[0] === `folder/${nombre}`, nombre).to.equal(names.includes(nombre));
    }
    for (const name of names) {
      for (const field of ['nombre', 'ruta'] as const) {
        expect((await find(names, { nombre: name, mode: 'literal-o-glob', field }))[0]).to.equal(name);
      }
    }
  });

  it('gives classes, escapes and flags of a pattern their meaning in RE2, on the name as it is written', async () => {
    const names = [
      'README-7',
      'readme-7',
      'é7',
      'É7',
      'e7',
      'z7',
      'Z7',
      '_7',
      'ñ7',
      'n7',
      'İ.txt',
      'tecnico á',
      'técnico a',
    ];
    const counted = { case: true, accents: false };
    const exact = { case: false, accents: false };
    const cases: [string, Query, string[]][] = [
      ['(?-i)README-7', {}, ['README-7']],
      ['(?-i:README)-7', {}, ['README-7']],
      ['(?i)readme', { folding: exact }, ['README-7', 'readme-7']],
      ['^\\x{e9}', {}, ['é7', 'É7']],
      ['^\\xe97', {}, ['é7', 'É7']],
      ['^(?-i)\\x{e9}', {}, ['é7']],
      ['^é7', {}, ['é7', 'É7', 'e7']],
      ['^e7', {}, ['é7', 'É7', 'e7']],
      ['^(?-i)e7', {}, ['é7', 'e7']],
      ['^\\Qé7\\E$', {}, ['é7', 'É7', 'e7']],
      ['^\\Qe7', { folding: counted }, ['e7']],
      ['^[z-ÿ]7', {}, ['é7', 'É7', 'z7', 'Z7', 'ñ7']],
      ['^[Z-a]7', {}, ['z7', 'Z7', '_7']],
      ['^[Z-a]7', { folding: exact }, ['Z7', '_7']],
      ['^[À-ÿ]7', {}, ['é7', 'É7', 'ñ7']],
      ['^[^a-z]7', {}, ['é7', 'É7', '_7', 'ñ7']],
      ['[^\\x00-\\x7f]7', {}, ['é7', 'É7', 'ñ7']],
      ['^[[:^ascii:]é]7', {}, ['é7', 'É7', 'ñ7']],
      ['^\\pL7', {}, ['é7', 'É7', 'e7', 'z7', 'Z7', 'ñ7', 'n7']],
      ['^\\p{Lu}7', { folding: exact }, ['É7', 'Z7']],
      ['^tecnico [À-ÿ]$', {}, ['tecnico á']],
      ['^técnico [^á]$', {}, ['técnico a']],
      ['^(?P<e>e)7', {}, ['é7', 'É7', 'e7']],
      ['^e{1}7', {}, ['é7', 'É7', 'e7']],
      ['İ', { folding: counted }, ['İ.txt']],
      ['^İ', {}, ['İ.txt']],
      ['^i\\.', {}, ['İ.txt']],
      ['[z-ÿ]7', { mode: 'glob' }, ['é7', 'É7', 'z7', 'Z7', 'ñ7']],
      ['[Z-a]7', { mode: 'glob' }, ['z7', 'Z7', '_7']],
      ['[À-ÿ]7', { mode: 'glob' }, ['é7', 'É7', 'ñ7']],
      ['[!a-z]7', { mode: 'glob' }, ['é7', 'É7', '_7', 'ñ7']],
      ['[!é]7', { mode: 'glob' }, ['e7', 'z7', 'Z7', '_7', 'ñ7', 'n7']],
      ['tecnico [á]', { mode: 'glob' }, ['tecnico á']],
      ['TÉCNICO ?', { mode: 'glob' }, ['tecnico á', 'técnico a']],
      ['TECNICO ?', { mode: 'glob', folding: counted }, ['tecnico á']],
      ['[İ].txt', { mode: 'glob', folding: counted }, ['İ.txt']],
      ['i.???', { mode: 'glob' }, ['İ.txt']],
    ];
    for (const [nombre, query, expected] of cases) {
      expect(await find(names, { mode: 'regex', ...query, nombre }), nombre).to.have.members(expected);
    }
    const decomposed = names.map((name) => name.normalize('NFD'));
    for (const [nombre, query, expected] of cases) {
      const wanted = { mode: 'regex' as const, ...query, nombre: nombre.normalize('NFD') };
      expect(await find(decomposed, wanted), nombre).to.have.members(
        expected.map((name) => name.normalize('NFD')),
      );
    }
    expect(await find(['x\u0302y', 'xy'], { nombre: '^x.?y$', mode: 'regex' })).to.have.lengthOf(2);
    expect(await find(['x\u0302y', 'xy'], { nombre: 'x\u0302[y]', mode: 'glob' })).to.have.lengthOf(2);
    expect(
      await find(['x\u0302y', 'xy'], { nombre: '^x\\p{M}', mode: 'regex', folding: exact }),
    ).to.have.lengthOf(1);
  });

  it('finds names with the characters in order in the mode difuso, better ones first', async () => {
    const names = [
      'informe_tecnico.pdf',
      'InformeTecnico.pdf',
      'xinxforxmexteccnico',
      'printer.txt',
      'it',
      'nada',
    ];
    const found = await find(names, { nombre: 'inft', mode: 'difuso' });
    expect(found.slice(0, 2)).to.have.members(names.slice(0, 2));
    expect(found).to.have.members(names.slice(0, 3));
    expect((await find(names, { nombre: 'it', mode: 'difuso' }))[0]).to.equal('it');
    expect(await find(names, { nombre: 'tec inf', mode: 'difuso' })).to.have.members(names.slice(0, 3));
    expect(
      await find(['src/index/api.ts', 'src/x.ts'], { nombre: 'siapi', mode: 'difuso', field: 'ruta' }),
    ).to.deep.equal(['src/index/api.ts']);
  });

  it('finds every entry for an empty name, in every mode', async () => {
    const modes = ['contiene', 'exacto', 'prefijo', 'sufijo', 'glob', 'regex', 'difuso'] as const;
    for (const mode of modes) {
      expect(await find(['b', 'a', '\ufffd'], { mode }), mode).to.deep.equal(['a', 'b', '\ufffd']);
    }
    expect(await find(['b', 'a'], { nombre: ' \t' })).to.deep.equal(['a', 'b']);
    expect(await find(['b', 'a'], { nombre: ' ', mode: 'difuso' })).to.deep.equal(['a', 'b']);
  });

  it('finds nothing in a folder that is missing or is a file', async () => {
    for (const parts of [['nada'], ['a', 'b'], ['a', 'b', 'c']] as ByteString[][]) {
      expect(await find(['a/b'], { parts })).to.deep.equal([]);
    }
    expect(await find(['a/b'], { parts: ['a'] as ByteString[] })).to.deep.equal(['a/b']);
  });

  describe('its query', () => {
    const refused: [string, Query, string][] = [
      [
        'a name of more than 1024 bytes',
        { nombre: 'ñ'.repeat(513) },
        'INVALID_ARGUMENT nombre-demasiado-largo',
      ],
      ['a malformed glob', { nombre: '[a', mode: 'glob' }, 'INVALID_ARGUMENT patron-no-valido'],
      ['a malformed expression', { nombre: 'a(', mode: 'regex' }, 'INVALID_ARGUMENT patron-no-valido'],
      ['a backreference', { nombre: '(a)\\1', mode: 'regex' }, 'INVALID_ARGUMENT patron-no-valido'],
      [
        'a repetition beyond the limit of RE2',
        { nombre: '((a{30}){30}){30}', mode: 'regex' },
        'INVALID_ARGUMENT patron-no-valido',
      ],
      [
        'a repetition that costs too much',
        { nombre: '(?:(?:abcd){30}){30}', mode: 'regex' },
        'INVALID_ARGUMENT patron-demasiado-costoso',
      ],
      ['a malformed cursor', { cursor: 'AAAA' }, 'INVALID_ARGUMENT cursor-no-valido'],
    ];
    for (const [fault, query, reason] of refused) {
      it(`is refused when it has ${fault}`, async () => expect(await reasonOf(query)).to.equal(reason));
    }
    it('is accepted when its pattern is unusual but neither malformed nor too costly', async () => {
      const accepted: Query[] = [
        { nombre: 'ñ'.repeat(512) },
        { nombre: '[a' },
        { nombre: '{a', mode: 'difuso' },
        { nombre: '(((((a?)*)*)*)*)*b', mode: 'regex' },
        { nombre: '(a|aa)+$', mode: 'regex' },
        { nombre: `${'*a'.repeat(500)}b`, mode: 'glob' },
        { nombre: '{a,b}'.repeat(200), mode: 'glob' },
        { nombre: `${'{'.repeat(400)}a${'}'.repeat(400)}`, mode: 'glob' },
      ];
      for (const query of accepted) expect(await reasonOf(query), query.nombre).to.equal(undefined);
    });
  });
});
