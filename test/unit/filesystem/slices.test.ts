import { expect } from 'chai';
import { othersWait, Slices } from '../../../filesystem/slices.ts';

describe('slices', () => {
  it('of 20 concurrent tasks run one per round of the event loop', async () => {
    let round = 0;
    const count = (): void => {
      round++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const rounds: number[] = [];
    const work = async (): Promise<void> => {
      const slices = new Slices(new AbortController().signal);
      for (let i = 0; i < 5; i++) {
        await slices.next();
        rounds.push(round);
      }
    };
    await Promise.all(Array.from({ length: 20 }, work));
    clearImmediate(next);
    expect(rounds).to.have.lengthOf(100);
    expect(new Set(rounds).size).to.equal(100);
  });

  it('of calls that arrive together begin one per round when earlier ones kept the event loop busy', async () => {
    let round = 0;
    const count = (): void => {
      round++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const rounds: number[] = [];
    const work = async (): Promise<void> => {
      const slices = new Slices(new AbortController().signal);
      if (slices.crowded()) await slices.next();
      rounds.push(round);
      const end = performance.now() + 2;
      while (performance.now() < end);
    };
    await Promise.all(Array.from({ length: 10 }, work));
    clearImmediate(next);
    expect(new Set(rounds).size).to.equal(10);
  });

  it('report whether a task waits for its next slice', async () => {
    const next = new Slices(new AbortController().signal).next();
    expect(othersWait()).to.equal(true);
    await next;
    expect(othersWait()).to.equal(false);
  });

  it('reject with the reason of their signal when that aborts', async () => {
    const abort = new AbortController();
    const slices = new Slices(abort.signal);
    await slices.next();
    abort.abort(new Error('gone'));
    expect(await slices.next().catch((error: unknown) => error)).to.equal(abort.signal.reason);
    expect(() => new Slices(abort.signal)).to.throw('gone');
  });
});
