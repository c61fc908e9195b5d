import { expect } from 'chai';
import fc from 'fast-check';
import { fromBytes } from '../../../filesystem/byte-string.ts';
import { decodeCursor, encodeCursor } from '../../../filesystem/cursor.ts';

const position = fc.uint8Array({ maxLength: 300 }).map(fromBytes);
const scope = fc.record({ operation: fc.string(), query: fc.array(fc.jsonValue()) });

describe('a cursor', () => {
  it('decodes to its position for the query that it was made for', () => {
    fc.assert(
      fc.property(scope, position, (own, at) => {
        expect(decodeCursor(own, encodeCursor(own, at))).to.equal(at);
      }),
    );
  });

  it('is URL-safe text, equal in every process', () => {
    const cursor = encodeCursor(
      { operation: 'ListarArchivos', query: ['ñ', [1, 2], true] },
      fromBytes(Buffer.from('ñ')),
    );
    expect(cursor).to.equal('AdBvKTohfpfwDsa2Biog4ZrDsQ');
  });

  it('is refused for another query or operation', () => {
    fc.assert(
      fc.property(scope, scope, position, (own, other, at) => {
        fc.pre(JSON.stringify(own) !== JSON.stringify(other));
        expect(() => decodeCursor(other, encodeCursor(own, at)))
          .to.throw()
          .with.property('reason', 'cursor-no-valido');
      }),
    );
  });

  it('is refused when it is any other text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        expect(() => decodeCursor({ operation: 'x', query: [] }, text))
          .to.throw()
          .with.property('reason', 'cursor-no-valido');
      }),
    );
  });
});
