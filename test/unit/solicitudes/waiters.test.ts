import { expect } from 'chai';
import { LimitReachedError } from '../../../gateway/limits/per-caller-limit.ts';
import { createWaiters } from '../../../gateway/solicitudes/waiters.ts';

const long = 1_000_000;
const forever = new AbortController().signal;

describe('Waiters', () => {
  it('wake when something happens to what they watch, and to nothing else', async () => {
    const waiters = createWaiters(10);
    using one = waiters.watch('a', 'ana');
    using two = waiters.watch('a', 'ana');
    using other = waiters.watch('b', 'ana');
    const changed = [one.changed(long, forever), two.changed(long, forever)];
    waiters.notify('a');
    waiters.notify('nobody');
    expect(await Promise.all(changed)).to.deep.equal([true, true]);
    expect(await other.changed(1, forever)).to.equal(false);
  });

  it('see what happened between two looks, once', async () => {
    const waiters = createWaiters(10);
    using watch = waiters.watch('a', 'ana');
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
    using watch = waiters.watch('a', 'ana');
    const waiting = watch.changed(long, gone.signal);
    gone.abort();
    expect(await waiting).to.equal(false);
    expect(await watch.changed(long, gone.signal)).to.equal(false);
    const second = watch.changed(long, forever);
    waiters.stop();
    expect(await second).to.equal(false);
    expect(await watch.changed(long, forever)).to.equal(false);
    using late = waiters.watch('b', 'ana');
    expect(await late.changed(long, forever)).to.equal(false);
  });

  it('are no more than they may be, and of one caller no more than half of that', () => {
    const waiters = createWaiters(2);
    const refusal = (quotaKey: string): unknown => {
      try {
        using _ = waiters.watch('b', quotaKey);
        return undefined;
      } catch (error) {
        expect(error).to.be.instanceOf(LimitReachedError);
        return (error as LimitReachedError).own ? 'its own' : 'full';
      }
    };
    const first = waiters.watch('a', 'ana');
    expect(refusal('ana')).to.equal('its own');
    expect(refusal('eva')).to.equal(undefined);
    using _ = waiters.watch('a', 'eva');
    expect(refusal('eva')).to.equal('full');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(refusal('eva')).to.equal('its own');
    expect(refusal('ana')).to.equal(undefined);
  });
});
