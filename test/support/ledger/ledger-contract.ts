import { expect } from 'chai';
import fc from 'fast-check';
import type { RenderedAnswer } from '../../../gateway/http/rendered-answer.ts';
import {
  type Acceptance,
  type Change,
  type Estado,
  type Ledger,
  LedgerFullError,
  LedgerUnavailableError,
  type Solicitud,
} from '../../../gateway/solicitudes/ledger.ts';
import { rowSize } from '../../../gateway/solicitudes/row-size.ts';
import {
  acceptance,
  answerOf,
  callIds,
  type LedgerCall,
  lastTime,
  ledgerState,
  writingCall,
} from './ledger-calls.ts';
import { MemoryLedger } from './memory-ledger.ts';

export interface LedgerBounds {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Storage, empty at first, on which one ledger after another is opened. */
export interface LedgerStorage {
  open(bounds: LedgerBounds): Promise<Ledger>;
  remove(): Promise<void>;
}

const roomy: LedgerBounds = { maxRows: 100_000, maxBytes: 100_000_000 };

/** Returns a call's value or the class of its error, so that two ledgers can be compared. */
async function outcome(call: LedgerCall, ledger: Ledger): Promise<unknown> {
  try {
    return { value: await call.run(ledger) };
  } catch (error) {
    return { error: error instanceof LedgerFullError ? 'LedgerFullError' : 'another error' };
  }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Empties a ledger through its own interface, for the next example of a property. */
async function clear(ledger: Ledger): Promise<void> {
  for (const id of callIds) await ledger.close(id, { state: 'cancelada', at: 0 });
  await ledger.purge(lastTime + 1);
}

/**
 * Tests that every implementation of `Ledger` must pass. `together` is the number of concurrent calls: 1 for a ledger
 * that does not keep their order.
 */
export function ledgerContract(
  name: string,
  makeStorage: () => Promise<LedgerStorage>,
  together: number,
): void {
  describe(`${name} as a ledger`, () => {
    let storage: LedgerStorage;
    let ledger: Ledger;

    const openWith = async (bounds: LedgerBounds) => {
      await ledger.stop();
      ledger = await storage.open(bounds);
    };

    beforeEach(async () => {
      storage = await makeStorage();
      ledger = await storage.open(roomy);
    });

    afterEach(async () => {
      await ledger.stop();
      await storage.remove();
    });

    it('gives the same results as the model after any sequence of calls', async () => {
      const bounds = { maxRows: 4, maxBytes: 3 * rowSize(acceptance({ id: 'a', request: '' })) + 40 };
      await openWith(bounds);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(writingCall, { minLength: 1, maxLength: together }), { maxLength: 25 }),
          async (groups) => {
            await clear(ledger);
            const model = new MemoryLedger(bounds);
            for (const calls of groups) {
              const results = await Promise.all(calls.map((call) => outcome(call, ledger)));
              const expected = await Promise.all(calls.map((call) => outcome(call, model)));
              const texts = calls.map(({ text }) => text).join('; ');
              expect(results, texts).to.deep.equal(expected);
              expect(await ledgerState(ledger), texts).to.deep.equal(await ledgerState(model));
            }
          },
        ),
        // The limit ends the shrinking of a failed example before the test's time-out.
        { numRuns: 60, interruptAfterTimeLimit: 15_000 },
      );
    });

    it('has all rows and answers after it is opened again', async () => {
      const { id } = ledger;
      await ledger.accept(acceptance({ id: 'a' }));
      await ledger.published('a', 1500, 6500);
      await ledger.published('a', 7000, 17_000);
      await ledger.accept(acceptance({ id: 'b', service: 'mserv2', acceptedAt: 1100 }));
      await ledger.interrupted('b', 1600);
      await ledger.accept(acceptance({ id: 'c', acceptedAt: 1200 }));
      const answer: RenderedAnswer = {
        status: 404,
        headers: { 'content-type': 'application/problem+json', etag: '"año"', link: '</x>; rel="next"' },
        body: Buffer.from([0, 255, 10, 195, 40]),
      };
      await ledger.close('c', { state: 'completada', answer, at: 1300 });

      const before = await ledgerState(ledger);
      await openWith(roomy);

      expect(await ledgerState(ledger)).to.deep.equal(before);
      expect(ledger.id)
        .to.equal(id)
        .and.match(/^[a-z0-9]{8,32}$/);
      expect(await ledger.get('a')).to.deep.equal({
        ...acceptance({ id: 'a' }),
        state: 'encolada',
        attempts: 2,
        publishedAt: 7000,
        interruptions: 0,
        closedAt: undefined,
        history: [
          { state: 'aceptada', at: 1000 },
          { state: 'encolada', at: 1500 },
        ],
      });
      expect(await ledger.answer('c')).to.deep.equal(answer);
      expect((await ledger.answer('c'))?.body).to.be.instanceOf(Buffer);
    });

    it('returns an answer as soon as the row is closed', async () => {
      for (const id of ['a', 'b', 'c']) {
        await ledger.accept(acceptance({ id }));
        await ledger.close(id, { state: 'completada', answer: answerOf(id), at: 2000 });
        expect((await ledger.answer(id))?.body.toString()).to.equal(id);
      }
    });

    it('keeps the first final state when several are written at once', async () => {
      await ledger.accept(acceptance({ id: 'a' }));
      const results = await Promise.all([
        ledger.close('a', { state: 'completada', answer: answerOf('first'), at: 2000 }),
        ledger.close('a', { state: 'cancelada', at: 2000 }),
        ledger.close('a', { state: 'completada', answer: answerOf('third'), at: 2001 }),
      ]);
      expect(results.toSorted()).to.deep.equal(['closed', 'was-closed', 'was-closed']);
      const kept = [await ledger.get('a'), await ledger.answer('a')];
      await ledger.published('a', 3000, 4000);
      await ledger.expire(99_999_999);
      await ledger.close('a', { state: 'fallida', at: 3000 });
      expect([await ledger.get('a'), await ledger.answer('a')]).to.deep.equal(kept);
    });

    it('returns an answer of 3 MB byte for byte', async () => {
      const body = Buffer.alloc(3_000_000, 'ñandú ');
      await ledger.accept(acceptance({ id: 'a' }));
      await ledger.close('a', { state: 'completada', answer: answerOf(body), at: 2000 });
      expect((await ledger.answer('a'))?.body.equals(body)).to.equal(true);
    });

    it('returns when the oldest open row was accepted', async () => {
      expect(await ledger.oldest()).to.equal(undefined);
      for (const [id, at] of [
        ['b', 30],
        ['a', 10],
        ['c', 20],
      ] as const) {
        await ledger.accept(acceptance({ id, acceptedAt: at, expiresAt: at + 1000 }));
      }
      expect(await ledger.oldest()).to.equal(10);
      await ledger.close('a', { state: 'cancelada', at: 40 });
      expect(await ledger.oldest()).to.equal(20);
      for (const id of ['b', 'c']) await ledger.close(id, { state: 'cancelada', at: 40 });
      expect(await ledger.oldest()).to.equal(undefined);
    });

    it('makes due, defers, expires and purges more rows than one statement takes', async () => {
      const ids = Array.from({ length: 1234 }, (_, index) => `id-${String(index).padStart(4, '0')}`);
      await Promise.all(ids.map((id, index) => ledger.accept(acceptance({ id, acceptedAt: index }))));
      await Promise.all(ids.map((id) => ledger.published(id, 2000, 5000)));
      expect(await ledger.nextDue('mserv1')).to.equal(5000);
      await ledger.makeDue('mserv1', 3000);
      expect(await ledger.nextDue('mserv1')).to.equal(3000);
      expect(await ledger.claim('mserv1', 3000, 3000, 2000)).to.have.length(1234);
      await ledger.deferQueued('mserv1', 3000, 9000);
      expect(await ledger.claim('mserv1', 8999, 8999, 2000)).to.have.length(0);
      expect(await ledger.countOpen()).to.deep.equal({ mserv1: 1234 });
      const expired = await ledger.expire(90_000);
      expect(expired.map(({ id }) => id).toSorted()).to.deep.equal(ids);
      expect(await ledger.countOpen()).to.deep.equal({});
      expect(await ledger.purge(90_000)).to.equal(0);
      expect(await ledger.purge(90_001)).to.equal(1234);
      expect(await ledger.get('id-0000')).to.equal(undefined);
    });

    it('refuses new rows while it is full, and still stores answers', async () => {
      const bounds = { maxRows: 3, maxBytes: 3 * rowSize(acceptance({ id: 'a', request: '' })) + 10 };
      await openWith(bounds);
      await ledger.accept(acceptance({ id: 'a', request: '12345' }));
      await ledger.accept(acceptance({ id: 'b', request: '1234' }));
      expect(await rejection(ledger.accept(acceptance({ id: 'c', request: '12' })))).to.be.instanceOf(
        LedgerFullError,
      );
      await ledger.accept(acceptance({ id: 'd', request: '1' }));
      expect(await rejection(ledger.accept(acceptance({ id: 'e', request: '' })))).to.be.instanceOf(
        LedgerFullError,
      );
      const answer = answerOf('an answer that is longer than all the room there is');
      expect(await ledger.close('a', { state: 'completada', answer, at: 2000 })).to.equal('closed');
      expect(await ledger.answer('a')).to.deep.equal(answer);

      await openWith(bounds); // its totals survive
      expect(await rejection(ledger.accept(acceptance({ id: 'e', request: '' })))).to.be.instanceOf(
        LedgerFullError,
      );
      await ledger.purge(2001);
      await ledger.accept(acceptance({ id: 'e', request: '12345' }));
    });

    it('counts every stored field of a row, and frees the same number of bytes when the row is purged', async () => {
      const small = acceptance({ id: 'a', key: 'k' });
      const long: Partial<Acceptance>[] = [
        { view: { ...small.view, target: `${small.view.target}&` } },
        { caller: `${small.caller}x` },
        { key: 'kk' },
        { requestId: `${small.requestId}x` },
        { retryOf: 'x' },
      ];
      const answer = answerOf('body');
      const kept = answer.body.length + JSON.stringify(answer.headers).length;
      const bounds = { maxRows: 100, maxBytes: rowSize(small) + kept };
      for (let round = 0; round < 3; round++) {
        await openWith({ ...bounds, maxBytes: rowSize(small) });
        for (const each of long) {
          const refused = await rejection(ledger.accept({ ...small, ...each }));
          expect(refused, JSON.stringify(each)).to.be.instanceOf(LedgerFullError);
        }
        await ledger.accept(small);
        await ledger.published('a', 1500, 2000);
        await ledger.close('a', { state: 'completada', answer, at: 2000 });
        await openWith(bounds);
        await ledger.probe();
        await openWith({ ...bounds, maxBytes: bounds.maxBytes - 1 });
        expect(await rejection(ledger.probe())).to.be.instanceOf(LedgerFullError);
        await ledger.purge(2001);
      }
    });

    it('does not give a claimed row to another claim until its lease ends', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await ledger.accept(acceptance({ id }));
      await ledger.defer('a', 1500);
      await ledger.close('d', { state: 'cancelada', at: 1000 });
      const claim = async (now: number, until: number, limit = 10) =>
        (await ledger.claim('mserv1', now, until, limit)).map(({ id }) => id);
      expect(await claim(2000, 5000, 2)).to.deep.equal(['b', 'c']);
      expect(await claim(2000, 6000)).to.deep.equal(['a']);
      expect(await claim(4999, 9000)).to.deep.equal([]);
      expect(await ledger.nextDue('mserv1')).to.equal(5000);
      expect(await claim(5000, 9000)).to.deep.equal(['b', 'c']);
      await ledger.defer('c', 5000); // ends the lease
      expect(await claim(6000, 9000)).to.deep.equal(['c', 'a']);
      expect(await ledger.claim('mserv2', 9999, 9999, 10)).to.deep.equal([]);
    });

    it('gives each due row to exactly one of several concurrent claims', async () => {
      const ids = Array.from({ length: 300 }, (_, index) => `id-${String(index).padStart(3, '0')}`);
      await Promise.all(ids.map((id) => ledger.accept(acceptance({ id }))));
      const claims: string[] = [];
      const claimAll = async () => {
        let some: readonly Solicitud[];
        do {
          some = await ledger.claim('mserv1', 1000, 5000, 20);
          claims.push(...some.map(({ id }) => id));
        } while (some.length > 0);
      };
      await Promise.all(Array.from({ length: 6 }, claimAll));
      expect(claims).to.have.members(ids);
    });

    it('marks published rows as lost despite a clock that is behind, and does not defer them with the queued rows', async () => {
      await ledger.accept(acceptance({ id: 'a' }));
      await ledger.published('a', 2000, 5000);
      await ledger.unpublish(1000); // the clock is behind
      await ledger.accept(acceptance({ id: 'b' }));
      await ledger.published('b', 1500, 5000);
      expect(await ledger.get('a')).to.include({ publishedAt: undefined, attempts: 1, state: 'encolada' });
      expect(await ledger.get('b')).to.include({ publishedAt: 2001 });
      await ledger.deferQueued('mserv1', 5000, 9000);
      const claimed = await ledger.claim('mserv1', 5000, 8000, 10);
      expect(claimed.map(({ id, publishedAt }) => ({ id, publishedAt }))).to.deep.equal([
        { id: 'a', publishedAt: undefined },
      ]);
      await openWith(roomy);
      expect(await ledger.get('a')).to.include({ publishedAt: undefined });
      await ledger.published('a', 6000, 9000);
      expect(await ledger.get('a')).to.include({ publishedAt: 6000, attempts: 2 });
      await ledger.unpublish(9000);
      expect(await ledger.get('a')).to.include({ publishedAt: undefined });
      expect(await ledger.get('b')).to.include({ publishedAt: undefined });
    });

    it('accepts one row per caller and idempotency key, also for concurrent requests', async () => {
      const keyed = (id: string, caller: string) =>
        ledger.accept(acceptance({ id, caller, key: 'clave', retryOf: 'otra' }));
      const given = await Promise.all([keyed('a', 'ana'), keyed('b', 'ana'), keyed('c', 'luis')]);
      expect(given.filter((known) => known === undefined)).to.have.length(2);
      expect(await ledger.countOpen()).to.deep.equal({ mserv1: 2 });
      const first = await ledger.withKey('ana', 'clave');
      expect(first).to.include({ caller: 'ana', key: 'clave', retryOf: 'otra', state: 'aceptada' });
      expect(given.filter((known) => known !== undefined)).to.deep.equal([first]);
      await ledger.close(first?.id ?? '', { state: 'cancelada', at: 2000 });
      expect(await keyed('d', 'ana')).to.include({ id: first?.id, state: 'cancelada' });

      // A full ledger still knows its keys, and forgets them with their rows.
      await openWith({ maxRows: 2, maxBytes: 100_000 });
      expect(await keyed('e', 'ana')).to.include({ id: first?.id });
      await ledger.purge(2001);
      expect(await ledger.withKey('ana', 'clave')).to.equal(undefined);
      expect(await keyed('e', 'ana')).to.equal(undefined);
    });

    it('lists the rows of one caller or of all callers, newest first, in pages', async () => {
      const ids = Array.from({ length: 25 }, (_, index) => `id-${String(index).padStart(2, '0')}`);
      for (const [index, id] of ids.entries()) {
        await ledger.accept(acceptance({ id, caller: index % 5 === 4 ? 'luis' : 'ana' }));
        if (index % 3 === 0) await ledger.published(id, 2000, 9000);
        if (index % 4 === 0) await ledger.close(id, { state: 'fallida', at: 3000 });
      }
      const all = async (caller: string | undefined, state: Estado | undefined, limit: number) => {
        const seen: string[] = [];
        let page: readonly Solicitud[];
        do {
          page = await ledger.list({ caller, state, before: seen.at(-1), limit });
          expect(page.length).to.be.at.most(limit);
          seen.push(...page.map(({ id }) => id));
        } while (page.length > 0);
        return seen;
      };
      const anas = ids.filter((_, index) => index % 5 !== 4).toReversed();
      for (const limit of [1, 2, 7, 100]) {
        expect(await all('ana', undefined, limit)).to.deep.equal(anas);
        expect(await all('ana', 'fallida', limit)).to.deep.equal(
          anas.filter((id) => Number(id.slice(3)) % 4 === 0),
        );
        expect(await all(undefined, undefined, limit)).to.deep.equal(ids.toReversed());
        expect(await all(undefined, 'fallida', limit)).to.deep.equal(
          ids.toReversed().filter((id) => Number(id.slice(3)) % 4 === 0),
        );
      }
      expect(await all('nadie', undefined, 3)).to.deep.equal([]);
    });

    it('notifies its listeners of every committed change of state', async () => {
      const told: Change[] = [];
      const listener = { changed: (changes: readonly Change[]) => told.push(...changes), missed: () => {} };
      const unsubscribe = ledger.subscribe(listener);
      await ledger.accept(acceptance({ id: 'a' }));
      await ledger.accept(acceptance({ id: 'b', service: 'mserv2', expiresAt: 2000 }));
      await ledger.published('a', 2000, 5000);
      await ledger.defer('a', 6000);
      await ledger.close('a', { state: 'completada', answer: answerOf('a'), at: 2000 });
      await ledger.close('a', { state: 'cancelada', at: 2000 });
      await ledger.published('a', 2000, 5000);
      await ledger.expire(3000);
      unsubscribe();
      await ledger.accept(acceptance({ id: 'c' }));
      expect(told).to.deep.equal([
        { id: 'a', service: 'mserv1', state: 'aceptada' },
        { id: 'b', service: 'mserv2', state: 'aceptada' },
        { id: 'a', service: 'mserv1', state: 'encolada' },
        { id: 'a', service: 'mserv1', state: 'completada' },
        { id: 'b', service: 'mserv2', state: 'vencida' },
      ]);
    });

    it('commits the other calls of a batch when one fails', async () => {
      const results = await Promise.allSettled(
        ['a', 'b', 'a', 'c'].map((id) => ledger.accept(acceptance({ id }))),
      );
      expect(results.filter(({ status }) => status === 'rejected')).to.have.length(1);
      expect(await ledger.countOpen()).to.deep.equal({ mserv1: 3 });
    });

    it('finishes the calls made before it is stopped, and refuses later ones', async () => {
      const accepted = ['a', 'b', 'c'].map((id) => ledger.accept(acceptance({ id })));
      const asked = ledger.get('a');
      const stopped = ledger.stop();
      const late = [
        rejection(ledger.accept(acceptance({ id: 'd' }))),
        rejection(ledger.get('a')),
        rejection(ledger.probe()),
      ];
      await Promise.all([...accepted, asked, stopped, ledger.stop()]);
      for (const error of await Promise.all(late)) expect(error).to.be.instanceOf(LedgerUnavailableError);
      await openWith(roomy);
      expect(await ledger.countOpen()).to.deep.equal({ mserv1: 3 });
    });
  });
}
