import { mock } from 'node:test';
import { expect } from 'chai';
import { Precedence, type SearchSlices } from '../../../../mserv2/search/precedence.ts';

const { signal } = new AbortController();

describe('the precedence of searches', () => {
  /** The clock moves only with the work that is done. */
  let time: number;
  let worked: string[];

  beforeEach(() => {
    [time, worked] = [1_000, []];
    mock.method(performance, 'now', () => time);
    mock.timers.enable({ apis: ['setTimeout'] });
  });
  afterEach(() => {
    mock.timers.reset();
    mock.restoreAll();
  });

  /** Works in slices and records its name for each millisecond of work. */
  async function work(name: string, slices: SearchSlices, ms: number): Promise<void> {
    slices.begin();
    for (let done = 0; done < ms; done++) {
      time += 1;
      worked.push(name);
      if (slices.over()) await slices.next();
    }
    slices[Symbol.dispose]();
  }
  /** Resolves when all work is done that waits for no timer. */
  async function settled(): Promise<void> {
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate);
  }

  it('runs a short search before a long one that began earlier', async () => {
    const precedence = new Precedence();
    const long = work('long', precedence.begin(signal), 60);
    const slices = precedence.begin(signal);
    for (let done = 0; done < 3; done++) {
      worked.push('short');
      // Between two pieces of work it waits for other threads.
      await settled();
    }
    slices[Symbol.dispose]();
    await long;
    // The first slice of the long search ends before the short one begins.
    expect(worked.slice(0, 8)).to.deep.equal([...Array(5).fill('long'), ...Array(3).fill('short')]);
    expect(worked).to.have.length(63);
  });

  it('runs a slice of a long search after 4 ms although a short one is always active', async () => {
    const precedence = new Precedence();
    // A search that has begun and waits for other threads all the time.
    const waiting = precedence.begin(signal);
    const long = work('long', precedence.begin(signal), 8);
    await settled();
    expect(worked).to.have.length(5);
    mock.timers.tick(3);
    await settled();
    expect(worked).to.have.length(5);
    mock.timers.tick(1);
    await settled();
    expect(worked).to.have.length(6);
    waiting[Symbol.dispose]();
    waiting[Symbol.dispose]();
    await long;
  });

  it('runs a long search at once when the last short one ends or has become long', async () => {
    const precedence = new Precedence();
    const waiting = precedence.begin(signal);
    const long = work('long', precedence.begin(signal), 10);
    await settled();
    expect(worked).to.have.length(5);
    waiting[Symbol.dispose]();
    await long;
    // Both become long: neither waits for the other or for the clock, which stands still.
    await Promise.all([work('a', precedence.begin(signal), 15), work('b', precedence.begin(signal), 15)]);
    expect(worked).to.have.length(40);
  });

  it('keeps the slices of a long search at 5 ms while the tree is crawled', async () => {
    const turnsIn = async (crawling: boolean): Promise<number> => {
      const slices = new Precedence().begin(signal, crawling).begin();
      let turns = 0;
      for (let done = 0; done < 60; done++) {
        time += 1;
        if (!slices.over()) continue;
        turns++;
        await slices.next();
      }
      slices[Symbol.dispose]();
      return turns;
    };
    expect(await turnsIn(true)).to.equal(12);
    // Slices last 5 ms at first, and 1 ms once the search is long.
    expect(await turnsIn(false)).to.equal(56);
  });

  it('rejects with the reason of the signal when that aborts', async () => {
    const abort = new AbortController();
    const slices = new Precedence().begin(abort.signal);
    abort.abort(new Error('gone'));
    expect(await slices.next().catch((error: unknown) => error)).to.equal(abort.signal.reason);
  });
});
