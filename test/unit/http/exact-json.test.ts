import { expect } from 'chai';
import fc from 'fast-check';
import { parseExactly } from '../../../gateway/http/exact-json.ts';

describe('JSON parsed exactly and written again', () => {
  it('is unchanged when JavaScript can hold its numbers', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseExactly(text))).to.equal(
          JSON.stringify(JSON.parse(text)).replaceAll('"-0"', '-0'),
        );
      }),
    );
  });

  it('keeps all digits of numbers that JavaScript cannot hold', () => {
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
