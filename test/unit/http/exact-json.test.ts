import { expect } from 'chai';
import fc from 'fast-check';
import { parseExactly } from '../../../gateway/http/exact-json.ts';

describe('JSON that is read and written again', () => {
  it('is what it was, for all that JavaScript can hold', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseExactly(text))).to.equal(
          JSON.stringify(JSON.parse(text)).replaceAll('"-0"', '-0'),
        );
      }),
    );
  });

  it('keeps the digits of numbers that it cannot', () => {
    for (const text of [
      '12345678901234567890',
      '[0.10000000000000000001,1e400]',
      '{"a":{"b":-9007199254740993}}',
      '1.50',
    ]) {
      expect(JSON.stringify(parseExactly(text))).to.equal(text);
    }
  });
});
