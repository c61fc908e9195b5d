import { mock } from 'node:test';
import { expect } from 'chai';
import { Precedence, type SearchSlices } from '../../../../mserv2/search/precedence.ts';

const { signal } = new AbortController();

describe('The precedence of searches', () => {
  /** The clock stands still but for the work that is done. */
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

  /** Works in slices, a millisecond at a time, and writes its name down for each of them. */
  async function work(name: string, slices: SearchSlices, ms: number): Promise<void> {
    slices.begin();
    for (let done = 0; done < ms; done++) {
      time += 1;
      worked.push(name);
      if (slices.over()) await slices.next();
    }
    slices[Symbol.dispose]();
  }
  /** Lets everything happen that no timer holds up. */
  async function settled(): Promise<void> {
    for (let turns = 0; turns < 200; turns++) await new Promise(setImmediate);
  }

  it('lets those go first that are short, though they came later', async () => {
    const precedence = new Precedence();
    const long = work('long', precedence.begin(signal), 60);
    const slices = precedence.begin(signal);
    for (let done = 0; done < 3; done++) {
      worked.push('short');
      // It waits for other threads.
      await settled();
    }
    slices[Symbol.dispose]();
    await long;
    // The first slice of the long one was over before the short one came.
    expect(worked.slice(0, 8)).to.deep.equal([...Array(5).fill('long'), ...Array(3).fill('short')]);
    expect(worked).to.have.length(63);
  });

  it('lets a long one go on after 4 ms though there is always a short one', async () => {
    const precedence = new Precedence();
    // A short one that waits for other threads all the time.
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

  it('lets a long one go on at once when the last short one is over, or has become long', async () => {
    const precedence = new Precedence();
    const waiting = precedence.begin(signal);
    const long = work('long', precedence.begin(signal), 10);
    await settled();
    expect(worked).to.have.length(5);
    waiting[Symbol.dispose]();
    await long;
    // Both are long then: neither waits for the other, nor for the clock, which stands.
    await Promise.all([work('a', precedence.begin(signal), 15), work('b', precedence.begin(signal), 15)]);
    expect(worked).to.have.length(40);
  });

  it('keeps the slices of a long one as they were while the tree is crawled', async () => {
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
    // Of 5 ms first, and of 1 ms once it is a long one.
    expect(await turnsIn(false)).to.equal(56);
  });

  it('ends with the reason of the signal', async () => {
    const abort = new AbortController();
    const slices = new Precedence().begin(abort.signal);
    abort.abort(new Error('gone'));
    expect(await slices.next().catch((error: unknown) => error)).to.equal(abort.signal.reason);
  });
});
