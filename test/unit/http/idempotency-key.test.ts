import { expect } from 'chai';
import fc from 'fast-check';
import { parseIdempotencyKey } from '../../../gateway/http/idempotency-key.ts';
import { ProblemError } from '../../../gateway/http/problem.ts';

const visible = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 255 })
  .map((codes) => String.fromCharCode(...codes));

describe('Idempotency-Key', () => {
  it('is undefined when the header is missing or empty', () => {
    expect(parseIdempotencyKey(undefined)).to.equal(undefined);
    expect(parseIdempotencyKey('')).to.equal(undefined);
  });

  it('is read bare and as a quoted string', () => {
    fc.assert(
      fc.property(visible, (key) => {
        const quoted = `"${key.replace(/["\\]/g, '\\$&')}"`;
        expect(parseIdempotencyKey(quoted)).to.equal(key);
        if (!key.includes('"')) expect(parseIdempotencyKey(key)).to.equal(key);
      }),
    );
  });

  const refused = ['a b', 'a\tb', 'ñ', 'a\u0000', '""', '"', '"a', 'a"', '"a" "b"', 'a, b', 'x'.repeat(256)];
  for (const header of [...refused, `"${'x'.repeat(256)}"`, '"a b"', '"\\a"']) {
    it(`is refused with 400 when it is ${JSON.stringify(header).slice(0, 20)}`, () => {
      expect(() => parseIdempotencyKey(header))
        .to.throw(ProblemError)
        .with.property('status', 400);
    });
  }
});
