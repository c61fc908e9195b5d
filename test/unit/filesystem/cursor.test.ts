import { expect } from 'chai';
import fc from 'fast-check';
import { fromBytes } from '../../../filesystem/byte-string.ts';
import { decodeCursor, encodeCursor } from '../../../filesystem/cursor.ts';

const position = fc.uint8Array({ maxLength: 300 }).map(fromBytes);
const scope = fc.record({ operation: fc.string(), query: fc.array(fc.jsonValue()) });

describe('a cursor', () => {
  it('gives back its position to the query that it was made for', () => {
    fc.assert(
      fc.property(scope, position, (its, at) => {
        expect(decodeCursor(its, encodeCursor(its, at))).to.equal(at);
      }),
    );
  });

  it('is text for a URL, and the same in every process', () => {
    const cursor = encodeCursor(
      { operation: 'ListarArchivos', query: ['ñ', [1, 2], true] },
      fromBytes(Buffer.from('ñ')),
    );
    expect(cursor).to.equal('AdBvKTohfpfwDsa2Biog4ZrDsQ');
  });

  it('is refused by any other query and operation', () => {
    fc.assert(
      fc.property(scope, scope, position, (its, other, at) => {
        fc.pre(JSON.stringify(its) !== JSON.stringify(other));
        expect(() => decodeCursor(other, encodeCursor(its, at)))
          .to.throw()
          .with.property('reason', 'cursor-no-valido');
      }),
    );
  });

  it('is refused when it is no cursor', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        expect(() => decodeCursor({ operation: 'x', query: [] }, text))
          .to.throw()
          .with.property('reason', 'cursor-no-valido');
      }),
    );
  });
});
