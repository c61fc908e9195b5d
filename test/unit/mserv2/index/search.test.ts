import { expect } from 'chai';
import fc from 'fast-check';
import { type ByteString, fromText, splitParts, toText } from '../../../../filesystem/byte-string.ts';
import { Kind } from '../../../../filesystem/kind.ts';
import { type Pace, search, searchAll } from '../../../../mserv2/index/search.ts';
import type { Hit, SearchQuery, SearchResult } from '../../../../mserv2/index/search-api.ts';
import { anyName, anySteps, IndexModel } from '../../../support/index/index-model.ts';
import { anything, indexOf, withoutPause } from '../../../support/index/index-query.ts';
import { anyFolding, comparedText, referenceSearch } from '../../../support/index/search-reference.ts';

async function pages(
  model: IndexModel,
  query: SearchQuery,
  between: () => void = () => {},
  pace: Pace = withoutPause,
): Promise<SearchResult[]> {
  const found: SearchResult[] = [];
  let cursor: string | undefined;
  do {
    const page = await search(model.index, { ...query, cursor }, pace);
    found.push(page);
    cursor = page.siguiente;
    if (cursor !== undefined) between();
  } while (cursor !== undefined);
  return found;
}

const hitsOf = (found: readonly SearchResult[]): Hit[] => found.flatMap(({ hits }) => hits);
const pathsOf = (hits: readonly { path: ByteString }[]): ByteString[] => hits.map(({ path }) => path);

const globs = fc.array(fc.constantFrom('*', '?', '**', '[a-b]', '[!a]', '{a,b1}', 'a', 'B', '.', 'é', '/'), {
  minLength: 1,
  maxLength: 6,
});
const regexes = fc
  .array(fc.constantFrom('a', 'b+', '[ab]', '.*', '^', '$', '(a|b)?', 'é', '[^a]', '\\d', '_'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((pieces) => pieces.join(''));

/** Random queries: parts of existing names, hostile names, and patterns for each mode. */
const anyQuery = fc.record({
  mode: fc.constantFrom(
    'contiene',
    'literal-o-glob',
    'exacto',
    'prefijo',
    'sufijo',
    'glob',
    'regex',
    'difuso',
  ) as fc.Arbitrary<SearchQuery['mode']>,
  field: fc.constantFrom('nombre', 'ruta') as fc.Arbitrary<SearchQuery['field']>,
  folding: fc.constantFrom(...anyFolding),
  entry: fc.nat(),
  cut: fc.tuple(fc.nat(8), fc.nat(8)),
  nombre: fc.oneof(
    { weight: 4, arbitrary: fc.constant('part') },
    { weight: 1, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: anyName.map((name) => toText(name).text) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('a b', 'a -b', '-a', '"a b"', 'a "-" _', '-', '"" x', 'a/b', '/a', 'a/'),
    },
  ),
  glob: globs.map((pieces) => pieces.join('')),
  regex: regexes,
  kinds: fc
    .uniqueArray(fc.constantFrom(...Object.values(Kind)), { minLength: 1 })
    .map((kinds) => new Set<number>(kinds)),
  extensions: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom('a', '.B', 'b', '', 'á', '1.a'), { maxLength: 2 }) },
  ),
  hidden: fc.boolean(),
  order: fc.constantFrom('relevancia', 'nombre', 'ruta', 'bytes', 'modificado') as fc.Arbitrary<
    SearchQuery['order']
  >,
  descending: fc.boolean(),
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(10_000)),
  scope: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
  bounds: fc.record({
    minBytes: fc.option(fc.nat(3), { nil: undefined, freq: 2 }),
    maxBytes: fc.option(fc.nat(3), { nil: undefined, freq: 2 }),
    since: fc.option(fc.integer({ min: -1, max: 4 }), { nil: undefined, freq: 2 }),
    until: fc.option(fc.integer({ min: -1, max: 4 }), { nil: undefined, freq: 2 }),
  }),
  bounded: fc.boolean(),
});

function queryOf(
  asked: typeof anyQuery extends fc.Arbitrary<infer Value> ? Value : never,
  model: IndexModel,
): SearchQuery {
  const { scope, cut, glob, regex, bounds, bounded, entry, ...query } = asked;
  const folders = model.folderPaths();
  const entries = [...model.entries.values()];
  const chosen = entries[entry % Math.max(1, entries.length)];
  const text = toText((query.field === 'ruta' ? chosen?.path : chosen?.name) ?? fromText('a')).text;
  const part = [...text]
    .slice(cut[0] % (text.length + 1))
    .slice(0, cut[1])
    .join('');
  const plain = query.nombre === 'part' ? part : query.nombre;
  // A glob made from a name may contain the brackets and braces of the name.
  const nombre =
    query.mode === 'glob' || (query.mode === 'literal-o-glob' && entry % 2 === 0)
      ? glob
      : query.mode === 'regex'
        ? regex
        : plain;
  const parts = scope === undefined ? [] : splitParts(folders[scope % folders.length] ?? ('' as ByteString));
  return { ...anything, ...query, nombre, parts, ...(bounded ? bounds : {}) };
}

/** Whether the meaning of a glob depends on how braces bring two stars together. */
const isAmbiguous = ({ mode, field, nombre }: SearchQuery) =>
  mode.endsWith('glob') && field === 'ruta' && /\*[{},]|[{},]\*/.test(nombre);

/** Sorts by the given scores, then shorter texts first, then by path. */
function byScore(hits: readonly Hit[], query: SearchQuery): Hit[] {
  const sign = query.descending ? -1 : 1;
  const lengthOf = ({ path }: Hit) =>
    Buffer.byteLength(comparedText({ path, name: splitParts(path).at(-1) ?? path }, query));
  return hits.toSorted(
    (a, b) =>
      sign * ((b.puntaje ?? 0) - (a.puntaje ?? 0)) ||
      sign * (lengthOf(a) - lengthOf(b)) ||
      (a.path < b.path ? -1 : 1),
  );
}

describe('the pages of a search', () => {
  it('have the entries of a naive reference in its order', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps(), anyQuery, async (steps, asked) => {
        const model = new IndexModel();
        model.run(steps);
        const query = queryOf(asked, model);
        fc.pre(!isAmbiguous(query));
        const expected = referenceSearch(model.entries.values(), query);
        const found = await pages(model, query);
        const hits = hitsOf(found);
        for (const { total, hits: some } of found) {
          expect(total).to.equal(expected.length);
          expect(some.length).to.be.at.most(query.limit);
        }
        if (query.mode === 'difuso' && query.nombre.trim() !== '' && query.order === 'relevancia') {
          expect(pathsOf(hits)).to.have.members(pathsOf(expected));
          expect(pathsOf(hits)).to.deep.equal(pathsOf(byScore(hits, query)));
        } else {
          expect(pathsOf(hits)).to.deep.equal(pathsOf(expected));
        }
        expect(hits.map(({ kind }) => kind)).to.have.members(expected.map(({ kind }) => kind));
      }),
      { numRuns: 1000 },
    );
  });

  it('have every staying entry exactly once when others come and go between and during pages', async () => {
    const sizes = fc.record({
      limit: fc.integer({ min: 1, max: 4 }),
      staying: fc.integer({ min: 0, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(
        anySteps(),
        anySteps(80),
        anyQuery,
        sizes,
        async (before, later, asked, { limit, staying }) => {
          const model = new IndexModel();
          model.run(before);
          const query = { ...queryOf(asked, model), limit };
          fc.pre(!isAmbiguous(query));
          const kept = new Set([...model.entries.values()].slice(0, staying));
          const seen = new Set(model.entries.values());
          const steps = later.filter((step) => step.do !== 'stat');
          const move = () => {
            for (const step of steps.splice(0, 2)) {
              const victim = model.victimOf(step);
              if ([...kept].some(({ path }) => path === victim || path.startsWith(`${victim}/`))) continue;
              model.step(step);
              for (const entry of model.entries.values()) seen.add(entry);
            }
          };
          const pace: Pace = { over: () => true, next: () => Promise.resolve(move()) };
          const paths = pathsOf(hitsOf(await pages(model, query, move, pace)));
          expect(new Set(paths).size, 'no path twice').to.equal(paths.length);
          expect(paths).to.include.members(pathsOf(referenceSearch(kept, query)));
          expect(pathsOf(referenceSearch(seen, query))).to.include.members(paths);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('have no match across the border of two names', async () => {
    const index = indexOf(['a', 'b'] as ByteString[]);
    for (const nombre of ['a/', '/a', 'a/b', '/']) {
      const { hits, total } = await search(index, { ...anything, nombre, order: 'nombre' }, withoutPause);
      expect([hits.length, total], nombre).to.deep.equal([0, 0]);
    }
  });

  it('equal the batches of searchAll, which hold every entry', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps(), anyQuery, fc.integer({ min: 1, max: 7 }), async (steps, asked, size) => {
        const model = new IndexModel();
        model.run(steps);
        const query = queryOf(asked, model);
        fc.pre(!isAmbiguous(query));
        const hits: Hit[] = [];
        for await (const batch of searchAll(model.index, query, withoutPause, size)) {
          expect(batch.length).to.be.within(1, size);
          hits.push(...batch);
        }
        expect(pathsOf(hits)).to.have.members(pathsOf(referenceSearch(model.entries.values(), query)));
        expect(model.index.readViews.size).to.equal(0);
      }),
      { numRuns: 300 },
    );
  });

  it('are refused for the cursor of another query and for a cut one', async () => {
    const index = indexOf(['a1', 'a2', 'b/a3'].map(fromText));
    const query = { ...anything, nombre: 'a', limit: 1 };
    const { siguiente: cursor = '' } = await search(index, query, withoutPause);
    const others: Partial<SearchQuery>[] = [
      { nombre: 'b' },
      { mode: 'prefijo' },
      { field: 'ruta' },
      { parts: [fromText('b')] },
      { hidden: false },
      { kinds: new Set([1]) },
      { folding: { case: false, accents: true } },
      { folding: { case: true, accents: false } },
      { extensions: ['a'] },
      { minBytes: 0 },
      { maxBytes: 0 },
      { since: 0 },
      { until: 0 },
      { order: 'ruta' },
      { descending: true },
      { cursor: cursor.slice(0, -2) },
      { cursor: `${cursor}AA` },
    ];
    for (const other of others) {
      const failure = await search(index, { ...query, cursor, ...other }, withoutPause).catch(
        (error: unknown) => error,
      );
      expect(failure, JSON.stringify(other)).to.include({ reason: 'cursor-no-valido' });
    }
    expect(pathsOf((await search(index, { ...query, cursor, limit: 5 }, withoutPause)).hits)).to.deep.equal([
      'a2',
      'b/a3',
    ]);
    expect(index.readViews.size).to.equal(0);
  });

  it('close their read view when the search is aborted or its reader returns', async () => {
    const index = indexOf(Array.from({ length: 5000 }, (_, i) => fromText(`a${i}`)));
    const reason = new Error('gone');
    const pace: Pace = { over: () => true, next: () => Promise.reject(reason) };
    expect(await search(index, anything, pace).catch((error: unknown) => error)).to.equal(reason);
    const all = searchAll(index, anything, pace, 10);
    await all.next();
    await all.return(undefined);
    expect(index.readViews.size).to.equal(0);
  });
});
