import { once } from 'node:events';
import { expect } from 'chai';
import { switchLatest } from '../../../runtime/switch-latest.ts';

/** A stream of requests that the test fills. */
function requests() {
  const waiting: ((result: IteratorResult<string, undefined>) => void)[] = [];
  const made: IteratorResult<string, undefined>[] = [];
  let returned = false;
  const give = (result: IteratorResult<string, undefined>): void => {
    const take = waiting.shift();
    if (take === undefined) made.push(result);
    else take(result);
  };
  return {
    ask: (value: string) => give({ done: false, value }),
    end: () => give({ done: true, value: undefined }),
    get returned() {
      return returned;
    },
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const ready = made.shift();
        return ready === undefined
          ? new Promise<IteratorResult<string, undefined>>((resolve) => waiting.push(resolve))
          : Promise.resolve(ready);
      },
      return: async () => {
        returned = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
}

const never = (): AbortSignal => new AbortController().signal;

/** Answers at once, except `lenta`, which waits until it is aborted, and `mala`, which fails. */
async function answer(request: string, signal: AbortSignal): Promise<string> {
  if (request === 'mala') throw new Error(request);
  if (request === 'lenta') {
    if (!signal.aborted) await once(signal, 'abort');
    throw new Error('aborted');
  }
  return request.toUpperCase();
}

describe('switchLatest', () => {
  it('answers requests that come one after another', async () => {
    const asked = requests();
    const answers = switchLatest(asked, answer, never());
    for (const word of ['a', 'b']) {
      const next = answers.next();
      asked.ask(word);
      expect((await next).value).to.equal(word.toUpperCase());
    }
    asked.end();
    expect(await answers.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('aborts an older request when a newer one comes, and gives only the newer answer', async () => {
    const asked = requests();
    const answers = switchLatest(asked, answer, never());
    const next = answers.next();
    for (const word of ['lenta', 'lenta', 'z']) asked.ask(word);
    expect((await next).value).to.equal('Z');
  });

  it('drops the answer of an older request that ignored its abort', async () => {
    const asked = requests();
    const started = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const stubborn = async (request: string): Promise<string> => {
      if (request === 'vieja') {
        started.resolve();
        await goOn.promise;
      }
      return request;
    };
    const answers = switchLatest(asked, stubborn, never());
    const next = answers.next();
    asked.ask('vieja');
    await started.promise;
    asked.ask('nueva');
    goOn.resolve();
    expect((await next).value).to.equal('nueva');
  });

  it('answers the last request after the stream of requests has ended', async () => {
    const asked = requests();
    const goOn = Promise.withResolvers<void>();
    const slow = async (request: string): Promise<string> => {
      await goOn.promise;
      return request;
    };
    const answers = switchLatest(asked, slow, never());
    const next = answers.next();
    asked.ask('a');
    asked.end();
    goOn.resolve();
    expect((await next).value).to.equal('a');
    expect((await answers.next()).done).to.equal(true);
  });

  it('rejects with the error of the newest request', async () => {
    const asked = requests();
    const answers = switchLatest(asked, answer, never());
    const next = answers.next();
    asked.ask('mala');
    expect(await next.catch((error: unknown) => error)).to.be.instanceOf(Error);
    expect(asked.returned).to.equal(true);
  });

  it('aborts the request in work when its signal aborts', async () => {
    const asked = requests();
    const abort = new AbortController();
    const answers = switchLatest(asked, answer, abort.signal);
    const next = answers.next();
    asked.ask('lenta');
    abort.abort();
    expect(await next.catch((error: unknown) => error)).to.have.property('message', 'aborted');
  });

  it('returns the stream of requests when its reader returns', async () => {
    const asked = requests();
    const answers = switchLatest(asked, answer, never());
    const next = answers.next();
    asked.ask('a');
    await next;
    await answers.return();
    expect(asked.returned).to.equal(true);
  });
});
