import { BinaryReader } from '@bufbuild/protobuf/wire';
import { expect } from 'chai';
import fc from 'fast-check';
import { Entrada } from '../../proto/gen/archivos/v1/entrada.ts';

/** Reads the fields of a protobuf message by number; of repeated ones the last counts. */
function fieldsOf(bytes: Uint8Array, read: (reader: BinaryReader) => unknown): Map<number, unknown> {
  const fields = new Map<number, unknown>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === 0 || type === 2) fields.set(number, type === 2 ? reader.bytes() : read(reader));
    else reader.skip(type);
  }
  return fields;
}

describe('a protobuf timestamp', () => {
  it('has nanos from 0 to 999,999,999 also before 1970, and decodes to the date that was encoded', () => {
    const days = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z') };
    fc.assert(
      fc.property(fc.date({ ...days, noInvalidDate: true }), (modificado) => {
        const bytes = Entrada.encode(Entrada.fromPartial({ modificado })).finish();
        const timestamp = fieldsOf(bytes, (reader) => reader.int64()).get(5) as Uint8Array;
        const parts = fieldsOf(timestamp, (reader) => Number(reader.int64()));
        const [seconds, nanos] = [Number(parts.get(1) ?? 0), Number(parts.get(2) ?? 0)];
        expect(nanos).to.be.within(0, 999_999_999);
        expect(seconds * 1000 + nanos / 1e6).to.equal(modificado.getTime());
        expect(Entrada.decode(bytes).modificado).to.deep.equal(modificado);
      }),
    );
  });
});
