import { expect } from 'chai';
import fc from 'fast-check';
import { type ByteString, fromText, toText } from '../../../../filesystem/byte-string.ts';
import { foldText } from '../../../../filesystem/folding.ts';
import { search } from '../../../../mserv2/index/search.ts';
import type { SearchQuery } from '../../../../mserv2/index/search-api.ts';
import { anyName } from '../../../support/index/index-model.ts';
import { anything, indexOf, withoutPause } from '../../../support/index/index-query.ts';
import { anyFolding } from '../../../support/index/search-reference.ts';

/** The name of the file with its matches in brackets; undefined when it is not found. */
async function marked(path: ByteString, query: Partial<SearchQuery>): Promise<string | undefined> {
  const { hits } = await search(
    indexOf([path]),
    { ...anything, kinds: new Set([1]), ...query },
    withoutPause,
  );
  const [hit] = hits;
  if (hit === undefined) return undefined;
  const name = toText(hit.path).text.split('/').at(-1) ?? '';
  let at = 0;
  const pieces = hit.coincidencias.map(([from, to]) => {
    const piece = `${name.slice(at, from)}[${name.slice(from, to)}]`;
    at = to;
    return piece;
  });
  return pieces.join('') + name.slice(at);
}

describe('the match ranges of a name', () => {
  const cases: [string, Partial<SearchQuery>, string][] = [
    ['Informe.pdf', { nombre: 'informe' }, '[Informe].pdf'],
    ['banana', { nombre: 'an' }, 'b[anan]a'],
    ['b-a-a', { nombre: 'a' }, 'b-[a]-[a]'],
    ['acta informe', { nombre: 'informe acta' }, '[acta] [informe]'],
    ['abcd', { nombre: 'abc bcd' }, '[abcd]'],
    ['abc', { nombre: 'a -x' }, '[a]bc'],
    ['abc', { nombre: '-x' }, 'abc'],
    ['abc', { nombre: '' }, 'abc'],
    ['abc', { nombre: 'ABC', mode: 'exacto' }, '[abc]'],
    ['abcab', { nombre: 'ab', mode: 'prefijo' }, '[ab]cab'],
    ['abcab', { nombre: 'ab', mode: 'sufijo' }, 'abc[ab]'],
    ['abc', { nombre: '*b*', mode: 'glob' }, '[abc]'],
    ['IMG_0012.jpg', { nombre: '\\d+', mode: 'regex' }, 'IMG_[0012].jpg'],
    ['-rf', { nombre: '-rf' }, '[-rf]'],
    ['informe -ultimo', { nombre: 'Informe -ultimo' }, '[informe -ultimo]'],
    ['acta/a -b', { nombre: 'a -b', field: 'ruta' }, '[a -b]'],
    ['acta/a -b', { nombre: 'acta/a -b', field: 'ruta' }, '[a -b]'],
    ['a [b].mkv', { nombre: '[b]', mode: 'literal-o-glob' }, 'a [[b]].mkv'],
    ['a [b].mkv', { nombre: 'a *', mode: 'literal-o-glob' }, '[a [b].mkv]'],
    ['abc', { nombre: 'x*', mode: 'regex' }, 'abc'],
    ['Cancio\u0301n.mp3', { nombre: 'CIÓ', mode: 'regex' }, 'Can[cio\u0301]n.mp3'],
    ['Cancio\u0301n.mp3', { nombre: '[À-ÿ]n', mode: 'regex' }, 'Canci[o\u0301n].mp3'],
    ['acta/Cañón', { nombre: 'a/ca.', mode: 'regex', field: 'ruta' }, '[Cañ]ón'],
    ['Informe_Tecnico', { nombre: 'inft', mode: 'difuso' }, '[Inf]orme_[T]ecnico'],
    ['Canción.mp3', { nombre: 'cion' }, 'Can[ción].mp3'],
    ['Cancio\u0301n.mp3', { nombre: 'ó' }, 'Canci[o\u0301]n.mp3'],
    ['n\u0303andu\u0301', { nombre: 'ñandú', mode: 'exacto' }, '[n\u0303andu\u0301]'],
    ['año', { nombre: 'ñ', folding: { case: true, accents: false } }, 'a[ñ]o'],
    ['Straße 5', { nombre: 'asse' }, 'Str[aße] 5'],
    ['Straße 5', { nombre: 'STRASSE', mode: 'prefijo' }, '[Straße] 5'],
    ['aß', { nombre: 's', mode: 'sufijo' }, 'a[ß]'],
    ['oﬃce x', { nombre: 'x', mode: 'difuso' }, 'oﬃce [x]'],
    ['oﬃce x', { nombre: 'office', mode: 'difuso' }, '[oﬃce] x'],
    ['กิน ข้าว', { nombre: 'ข้าว' }, 'กิน [ข้าว]'],
    ['ß/Straße', { nombre: 'ss/str', field: 'ruta' }, '[Str]aße'],
    ['İzmir', { nombre: 'izm' }, '[İzm]ir'],
    ['👩‍👩‍👧 foto', { nombre: 'foto' }, '👩‍👩‍👧 [foto]'],
    ['a😀b', { nombre: '😀' }, 'a[😀]b'],
    ['a😀b', { nombre: 'b', mode: 'difuso' }, 'a😀[b]'],
    ['각x'.normalize('NFD'), { nombre: 'x' }, `${'각'.normalize('NFD')}[x]`],
    ['각x'.normalize('NFD'), { nombre: '각' }, `[${'각'.normalize('NFD')}]x`],
    ['acta/informe', { nombre: 'informe', field: 'ruta' }, '[informe]'],
    ['acta/informe', { nombre: 'acta', field: 'ruta' }, 'informe'],
    ['acta/informe', { nombre: 'ta/inf', field: 'ruta' }, '[inf]orme'],
    ['Canción/Ñu', { nombre: 'ion/n', field: 'ruta' }, '[Ñ]u'],
    ['a/b', { nombre: '**/b', mode: 'glob', field: 'ruta' }, '[b]'],
  ];
  for (const [path, query, expected] of cases) {
    it(`are ${expected} for ${query.nombre} with ${query.mode ?? 'contiene'} in ${path}`, async () => {
      expect(await marked(fromText(path), query)).to.equal(expected);
    });
  }

  it('count each undecodable byte as one replacement character', async () => {
    expect(await marked('\xe9a\xff' as ByteString, { nombre: 'a' })).to.equal('\ufffd[a]\ufffd');
  });

  it('are in order, apart and inside the name, and contain the searched text', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyName,
        fc.nat(),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(...anyFolding),
        async (name, start, length, folding) => {
          const { text } = toText(name);
          const letters = [...text];
          const nombre = letters
            .slice(start % letters.length)
            .slice(0, length)
            .join('');
          const query: SearchQuery = { ...anything, nombre: `"${nombre.replaceAll('"', '""')}"`, folding };
          const { hits } = await search(indexOf([name]), query, withoutPause);
          const wanted = foldText(nombre, folding);
          // A cut may separate a letter from its accents, and the rest then folds differently.
          fc.pre(foldText(text, folding).includes(wanted));
          expect(hits).to.have.lengthOf(1);
          let last = -1;
          for (const [from, to] of hits[0]?.coincidencias ?? []) {
            expect(from).to.be.greaterThan(last);
            expect(to).to.be.within(from + 1, text.length);
            expect(foldText(text.slice(from, to), folding)).to.include(wanted);
            last = to;
          }
          if (wanted !== '') expect(last).to.be.greaterThan(-1);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are the characters of the query in the mode difuso', async () => {
    const letters = (...from: string[]) =>
      fc.string({ unit: fc.constantFrom(...from), minLength: 1, maxLength: 20 });
    let matched = 0;
    await fc.assert(
      fc.asyncProperty(
        letters('a', 'b', 'A', 'B', '_', '1', '-'),
        letters('a', 'b', '1'),
        async (name, nombre) => {
          const query: SearchQuery = { ...anything, nombre, mode: 'difuso' };
          const { hits } = await search(indexOf([fromText(name)]), query, withoutPause);
          for (const { coincidencias, puntaje } of hits) {
            matched += 1;
            const found = coincidencias.map(([from, to]) => name.slice(from, to)).join('');
            expect(found.toLowerCase()).to.equal(nombre);
            expect(puntaje).to.be.within(1, nombre.length * 36);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(matched).to.be.greaterThan(100);
  });
});
