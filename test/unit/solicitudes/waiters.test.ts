import { expect } from 'chai';
import { createWaiters, TooManyWaitersError } from '../../../gateway/solicitudes/waiters.ts';

const long = 1_000_000;
const forever = new AbortController().signal;

describe('Waiters', () => {
  it('wake when something happens to what they watch, and to nothing else', async () => {
    const waiters = createWaiters(10);
    using one = waiters.watch('a');
    using two = waiters.watch('a');
    using other = waiters.watch('b');
    const changed = [one.changed(long, forever), two.changed(long, forever)];
    waiters.notify('a');
    waiters.notify('nobody');
    expect(await Promise.all(changed)).to.deep.equal([true, true]);
    expect(await other.changed(1, forever)).to.equal(false);
  });

  it('see what happened between two looks, once', async () => {
    const waiters = createWaiters(10);
    using watch = waiters.watch('a');
    waiters.notify('a');
    waiters.notify('a');
    expect(await watch.changed(long, forever)).to.equal(true);
    expect(await watch.changed(1, forever)).to.equal(false);
    waiters.notifyAll();
    expect(await watch.changed(long, forever)).to.equal(true);
  });

  it('leave when their client does, and when the process stops', async () => {
    const waiters = createWaiters(10);
    const gone = new AbortController();
    using watch = waiters.watch('a');
    const waiting = watch.changed(long, gone.signal);
    gone.abort();
    expect(await waiting).to.equal(false);
    expect(await watch.changed(long, gone.signal)).to.equal(false);
    const second = watch.changed(long, forever);
    waiters.stop();
    expect(await second).to.equal(false);
    expect(await watch.changed(long, forever)).to.equal(false);
    using late = waiters.watch('b');
    expect(await late.changed(long, forever)).to.equal(false);
  });

  it('are no more than they may be', () => {
    const waiters = createWaiters(2);
    const first = waiters.watch('a');
    using _ = waiters.watch('a');
    expect(() => waiters.watch('b')).to.throw(TooManyWaitersError);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    using third = waiters.watch('b');
    expect(third).to.have.property('changed');
    expect(() => waiters.watch('c')).to.throw(TooManyWaitersError);
  });
});
