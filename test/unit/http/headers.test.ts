import { expect } from 'chai';
import fc from 'fast-check';
import { parseCacheControl } from '../../../gateway/http/cache-control.ts';
import { codingFor } from '../../../gateway/http/content-coding.ts';
import { idiomaOf } from '../../../gateway/http/language.ts';
import { parsePrefer, preferenceApplied } from '../../../gateway/http/prefer.ts';

/** Header values as an erring or hostile client may send them. */
const header = fc.oneof(
  fc.string({ unit: 'binary-ascii' }),
  fc
    .array(fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'q', 'wait', '1', 'en', '*', '/'))
    .map((p) => p.join('')),
);

describe('Accept-Language', () => {
  const cases: Record<string, 'es' | 'en'> = {
    '': 'es',
    en: 'en',
    'EN-us': 'en',
    'en-US,en;q=0.9,es;q=0.8': 'en',
    'es-MX,es;q=0.9,en;q=0.8': 'es',
    'fr, en;q=0.1': 'en',
    fr: 'es',
    '*': 'es',
    'en;q=0': 'es',
    'en;q=0.5, es;q=0.5': 'en',
    'es;q=0.1, en;q=0.11': 'en',
    'en;q=x, es': 'es',
    'en-US, es;q=0.9, en;q=0.8': 'en',
    'english, est': 'es',
    ' en ; q=1.000 ': 'en',
  };
  for (const [value, idioma] of Object.entries(cases)) {
    it(`chooses ${idioma} for "${value}"`, () => expect(idiomaOf(value)).to.equal(idioma));
  }
});

describe('Accept-Encoding', () => {
  const cases: Record<string, ReturnType<typeof codingFor>> = {
    '': 'identity',
    'gzip, deflate, br': 'br',
    'gzip, deflate': 'gzip',
    'x-gzip': 'gzip',
    'GZIP;q=0.5, br;q=0.4': 'gzip',
    '*': 'br',
    '*, br;q=0': 'gzip',
    'gzip;q=0.5, identity': 'identity',
    'br;q=0.001': 'br',
    'deflate, zstd': 'identity',
    'identity;q=0': 'identity',
    'deflate, identity;q=0': 'identity',
    '*;q=0': 'identity',
    'br;q=0, gzip;q=0, identity;q=0': 'identity',
    'gzip, br;q=0, identity;q=0': 'gzip',
    'gzip;q=x': 'identity',
  };
  for (const [value, coding] of Object.entries(cases)) {
    it(`chooses ${coding} for "${value}"`, () => expect(codingFor(value)).to.equal(coding));
  }
  it('chooses identity when it is missing', () => expect(codingFor(undefined)).to.equal('identity'));
});

describe('Prefer', () => {
  const none = { respondAsync: false, wait: undefined };
  const cases: Record<string, ReturnType<typeof parsePrefer>> = {
    '': none,
    'respond-async': { respondAsync: true, wait: undefined },
    'Respond-Async, WAIT=10': { respondAsync: true, wait: 10 },
    'respond-async; foo=bar, wait = "7" ; x': { respondAsync: true, wait: 7 },
    'wait=0': { respondAsync: false, wait: 0 },
    'wait=51': { respondAsync: false, wait: 50 },
    'wait=99999999999999999999999999': { respondAsync: false, wait: 50 },
    'wait=5, wait=9': { respondAsync: false, wait: 5 },
    'wait=x, wait=9': none,
    'wait=-1': none,
    'wait=1.5': none,
    wait: none,
    'wait="5': none,
    'foo="a, respond-async", wait=3': { respondAsync: false, wait: 3 },
    'foo="a\\", respond-async': none,
    'handling=lenient, return=minimal': none,
    'respond-async=yes': none,
    'respond-async=""': { respondAsync: true, wait: undefined },
  };
  for (const [value, preferences] of Object.entries(cases)) {
    it(`means ${preferenceApplied(preferences) ?? 'no known preference'} when it is "${value}"`, () =>
      expect(parsePrefer(value)).to.deep.equal(preferences));
  }

  it('is answered with the applied preferences in Preference-Applied', () => {
    expect(preferenceApplied({ respondAsync: true, wait: 50 })).to.equal('respond-async, wait=50');
    expect(preferenceApplied({ wait: 0 })).to.equal('wait=0');
    expect(preferenceApplied({ respondAsync: false, wait: undefined })).to.equal(undefined);
  });

  it('is read from a value of Preference-Applied with equal preferences', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.option(fc.nat({ max: 50 }), { nil: undefined }), (respondAsync, wait) => {
        const applied = preferenceApplied({ respondAsync, wait });
        expect(parsePrefer(applied)).to.deep.equal({ respondAsync, wait });
      }),
    );
  });
});

it('parsers of Prefer, Accept-Language and Accept-Encoding accept every header value', () => {
  fc.assert(
    fc.property(header, (value) => {
      const { wait } = parsePrefer(value);
      expect(wait === undefined || (Number.isInteger(wait) && wait >= 0 && wait <= 50)).to.equal(true);
      expect(idiomaOf(value)).to.be.oneOf(['es', 'en']);
      expect(codingFor(value)).to.be.oneOf(['identity', 'gzip', 'br']);
    }),
    { numRuns: 500 },
  );
});

describe('a list header of 60 kB', () => {
  it('is not read to its end, in Prefer, Cache-Control or weighted lists', () => {
    const behind = ','.repeat(60_000);
    expect(parsePrefer(`wait=1${behind}respond-async`)).to.deep.equal({ respondAsync: false, wait: 1 });
    expect(parseCacheControl(`no-store${behind}no-cache`)).to.include({ noStore: true, noCache: false });
    expect(idiomaOf(`fr${behind}en`)).to.equal('es');
    expect(codingFor(`gzip;q=0.5${behind}br`)).to.equal('gzip');
  });
});
