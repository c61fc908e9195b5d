import { expect } from 'chai';
import fc from 'fast-check';
import { noEntry, rootFolder } from '../../../../mserv2/index/api.ts';
import { type NamedEntries, NameTable } from '../../../../mserv2/index/name-table.ts';

/** Entries that are called by their ids, with hashes that fall together as a test wants. */
class Crowd implements NamedEntries {
  readonly hashes = new Map<number, number>();
  readonly names = new Map<number, string>();

  isNamed(entry: number, _folder: number, bytes: Buffer, from: number, to: number): boolean {
    return this.names.get(entry) === bytes.toString('latin1', from, to);
  }

  hashOf(entry: number): number {
    return this.hashes.get(entry) ?? 0;
  }
}

describe('the table of names', () => {
  it('finds what is in it and nothing else, however crowded it is', () => {
    const step = fc.record({
      act: fc.constantFrom('add', 'add', 'remove', 'move'),
      entry: fc.nat(14),
      // Few places of few parts, so that most of them meet.
      hash: fc.tuple(fc.nat(7), fc.nat(1)).map(([low, part]) => low + part * 0x1000000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), fc.boolean(), (steps, reserved) => {
        const crowd = new Crowd();
        const table = new NameTable(crowd);
        if (reserved) table.reserve(10_000);
        for (const { act, entry, hash } of steps) {
          const isThere = crowd.names.has(entry);
          if (act === 'add' && !isThere) {
            crowd.names.set(entry, `n${entry}`);
            crowd.hashes.set(entry, hash);
            table.add(entry, hash);
          } else if (act === 'remove' && isThere) {
            table.remove(entry);
            crowd.names.delete(entry);
          } else if (act === 'move' && isThere && !crowd.names.has(entry + 100)) {
            // There and back again: each time all that is known of it goes along.
            for (const [from, to] of [
              [entry, entry + 100],
              [entry + 100, entry],
            ] as const) {
              const own = crowd.hashOf(from);
              crowd.names.set(to, crowd.names.get(from) ?? '');
              crowd.hashes.set(to, own);
              table.move(from, to, own);
              crowd.names.delete(from);
            }
          }
          for (let other = 0; other <= 14; other++) {
            const name = Buffer.from(`(n${other})`);
            const found = table.find(rootFolder, name, 1, name.length - 1, crowd.hashOf(other));
            expect(found).to.equal(crowd.names.has(other) ? other : noEntry);
          }
        }
      }),
    );
  });
});
