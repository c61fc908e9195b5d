import { expect } from 'chai';
import { beating } from '../../../runtime/heartbeat.ts';

describe('a heartbeat', () => {
  it('is yielded until the result arrives', async () => {
    const result = Promise.withResolvers<{ value: number }>();
    const beats = beating(result.promise, 'beat', 1);
    for (let i = 0; i < 3; i++) expect(await beats.next()).to.deep.equal({ done: false, value: 'beat' });
    result.resolve({ value: 7 });
    expect(await beats.next()).to.deep.equal({ done: true, value: { value: 7 } });
  });

  it('is not yielded when the result is already there', async () => {
    const value = { value: 7 };
    expect(await beating(Promise.resolve(value), 'beat', 10_000).next()).to.deep.equal({ done: true, value });
  });

  it('rejects with the failure of the result, and ignores a failure after return', async () => {
    const failure = new Error('no');
    const beats = beating(Promise.reject(failure), 'beat', 1);
    expect(await beats.next().catch((error: unknown) => error)).to.equal(failure);

    const late = Promise.withResolvers<object>();
    const left = beating(late.promise, 'beat', 1);
    await left.next();
    await left.return({});
    late.reject(failure);
    // An unhandled rejection would end this process.
    await new Promise(setImmediate);
  });
});
