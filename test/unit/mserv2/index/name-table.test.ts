import { expect } from 'chai';
import fc from 'fast-check';
import { noEntry, rootFolder } from '../../../../mserv2/index/api.ts';
import { type NamedEntries, NameTable } from '../../../../mserv2/index/name-table.ts';

/** Entries with names by id, and hashes that the test chooses so that they collide. */
class CollidingEntries implements NamedEntries {
  readonly hashes = new Map<number, number>();
  readonly names = new Map<number, string>();

  isNamed(entry: number, _folder: number, bytes: Buffer, from: number, to: number): boolean {
    return this.names.get(entry) === bytes.toString('latin1', from, to);
  }

  hashOf(entry: number): number {
    return this.hashes.get(entry) ?? 0;
  }
}

describe('the name table', () => {
  it('finds exactly the entries that are in it when many hashes collide', () => {
    const step = fc.record({
      act: fc.constantFrom('add', 'add', 'remove', 'move'),
      entry: fc.nat(14),
      // Few different hashes in few parts of the table, so that most collide.
      hash: fc.tuple(fc.nat(7), fc.nat(1)).map(([low, part]) => low + part * 0x1000000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), fc.boolean(), (steps, reserved) => {
        const entries = new CollidingEntries();
        const table = new NameTable(entries);
        if (reserved) table.reserve(10_000);
        for (const { act, entry, hash } of steps) {
          const isThere = entries.names.has(entry);
          if (act === 'add' && !isThere) {
            entries.names.set(entry, `n${entry}`);
            entries.hashes.set(entry, hash);
            table.add(entry, hash);
          } else if (act === 'remove' && isThere) {
            table.remove(entry);
            entries.names.delete(entry);
          } else if (act === 'move' && isThere && !entries.names.has(entry + 100)) {
            // Moves the entry to another id and back; its name and hash move too.
            for (const [from, to] of [
              [entry, entry + 100],
              [entry + 100, entry],
            ] as const) {
              const own = entries.hashOf(from);
              entries.names.set(to, entries.names.get(from) ?? '');
              entries.hashes.set(to, own);
              table.move(from, to, own);
              entries.names.delete(from);
            }
          }
          for (let other = 0; other <= 14; other++) {
            const name = Buffer.from(`(n${other})`);
            const found = table.find(rootFolder, name, 1, name.length - 1, entries.hashOf(other));
            expect(found).to.equal(entries.names.has(other) ? other : noEntry);
          }
        }
      }),
    );
  });
});
