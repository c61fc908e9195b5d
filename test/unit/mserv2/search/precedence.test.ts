import { expect } from 'chai';
import { Precedence, type SearchSlices } from '../../../../mserv2/search/precedence.ts';

const { signal } = new AbortController();

function workFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Works in slices; gives when it had done so. */
async function work(slices: SearchSlices, ms: number): Promise<number> {
  slices.begin();
  for (let done = 0; done < ms; done++) {
    workFor(1);
    if (slices.over()) await slices.next();
  }
  slices[Symbol.dispose]();
  return performance.now();
}

describe('The precedence of searches', () => {
  it('lets those go first that are short, though they came later', async () => {
    const precedence = new Precedence();
    const long = work(precedence.begin(signal), 60);
    const short = work(precedence.begin(signal), 3);
    expect(await short).to.be.lessThan(await long);
  });

  it('lets nobody starve: a long one goes on though there is always a short one', async () => {
    const precedence = new Precedence();
    let over = false;
    // Somebody who has begun and waits for other threads all the time.
    const waiting = precedence.begin(signal);
    await work(precedence.begin(signal), 40).then(() => {
      over = true;
    });
    expect(over).to.equal(true);
    waiting[Symbol.dispose]();
    waiting[Symbol.dispose]();
  });

  it('lets a long one go on at once when the last short one is over, or has become long', async () => {
    const precedence = new Precedence();
    const waiting = precedence.begin(signal);
    const long = work(precedence.begin(signal), 10);
    waiting[Symbol.dispose]();
    await long;
    // Both are long then: neither waits for the other.
    await Promise.all([work(precedence.begin(signal), 15), work(precedence.begin(signal), 15)]);
  });

  it('keeps the slices of a long one as they were while the tree is crawled', async () => {
    const turnsIn = async (crawling: boolean): Promise<number> => {
      const slices = new Precedence().begin(signal, crawling).begin();
      let turns = 0;
      for (let done = 0; done < 60; done++) {
        workFor(1);
        if (!slices.over()) continue;
        turns++;
        await slices.next();
      }
      slices[Symbol.dispose]();
      return turns;
    };
    expect(await turnsIn(true)).to.be.lessThan((await turnsIn(false)) / 2);
  });

  it('ends with the reason of the signal', async () => {
    const abort = new AbortController();
    const slices = new Precedence().begin(abort.signal);
    abort.abort(new Error('gone'));
    expect(await slices.next().catch((error: unknown) => error)).to.equal(abort.signal.reason);
  });
});
