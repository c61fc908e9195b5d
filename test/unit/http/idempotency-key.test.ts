import { expect } from 'chai';
import fc from 'fast-check';
import { parseIdempotencyKey } from '../../../gateway/http/idempotency-key.ts';
import { ProblemError } from '../../../gateway/http/problem.ts';

const ascii = (min: number) =>
  fc
    .array(fc.integer({ min, max: 0x7e }), { minLength: 1, maxLength: 255 })
    .map((codes) => String.fromCharCode(...codes));

describe('Idempotency-Key', () => {
  it('is undefined when the header is missing or empty', () => {
    expect(parseIdempotencyKey(undefined)).to.equal(undefined);
    expect(parseIdempotencyKey('')).to.equal(undefined);
  });

  it('is read as a structured-field string, spaces included, without its parameters', () => {
    const parameters = fc.constantFrom(
      '',
      ';a',
      '; a=1;b_2=tok/en',
      ';v="x;\\" ,y"',
      '; a=?1 ; b=:YQ==:',
      ' ',
    );
    fc.assert(
      fc.property(ascii(0x20), parameters, (key, after) => {
        const quoted = `"${key.replace(/["\\]/g, '\\$&')}"`;
        expect(parseIdempotencyKey(quoted + after)).to.equal(key);
      }),
    );
  });

  it('is read bare', () => {
    fc.assert(
      fc.property(ascii(0x21), (key) => {
        if (!key.includes('"')) expect(parseIdempotencyKey(key)).to.equal(key);
      }),
    );
  });

  it('is parsed in linear time', () => {
    const started = performance.now();
    for (const part of [';a', ' ', '; ', ';a=""', '\\"', ';a="']) {
      expect(() => parseIdempotencyKey(`"a"${part.repeat(20_000)}\0`)).to.throw(ProblemError);
    }
    expect(performance.now() - started).to.be.below(2_000);
  });

  const refused = ['a b', 'a\tb', 'ñ', 'a\u0000', '""', '"', '"a', 'a"', '"a" "b"', 'a, b', 'x'.repeat(256)];
  for (const header of [...refused, `"${'x'.repeat(256)}"`, '"\\a"', '"a"b', '"a";', '"a";B', '"a", "b"']) {
    it(`is refused with 400 when it is ${JSON.stringify(header).slice(0, 20)}`, () => {
      expect(() => parseIdempotencyKey(header))
        .to.throw(ProblemError)
        .with.property('status', 400);
    });
  }
});
