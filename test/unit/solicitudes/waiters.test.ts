import { expect } from 'chai';
import { LimitReachedError } from '../../../gateway/limits/per-caller-limit.ts';
import { createWaiters } from '../../../gateway/solicitudes/waiters.ts';

const long = 1_000_000;
const forever = new AbortController().signal;

describe('the waiters', () => {
  it('wake when their solicitud changes, and not when another one does', async () => {
    const waiters = createWaiters(10);
    using one = waiters.watch('a', 'ana');
    using two = waiters.watch('a', 'ana');
    using other = waiters.watch('b', 'ana');
    const changed = [one.changed(long, forever), two.changed(long, forever)];
    waiters.notify('a');
    waiters.notify('unknown');
    expect(await Promise.all(changed)).to.deep.equal([true, true]);
    expect(await other.changed(1, forever)).to.equal(false);
  });

  it('wake once for changes that came while they did not wait', async () => {
    const waiters = createWaiters(10);
    using watch = waiters.watch('a', 'ana');
    waiters.notify('a');
    waiters.notify('a');
    expect(await watch.changed(long, forever)).to.equal(true);
    expect(await watch.changed(1, forever)).to.equal(false);
    waiters.notifyAll();
    expect(await watch.changed(long, forever)).to.equal(true);
  });

  it('stop waiting when their signal aborts and when the process stops', async () => {
    const waiters = createWaiters(10);
    const disconnect = new AbortController();
    using watch = waiters.watch('a', 'ana');
    const waiting = watch.changed(long, disconnect.signal);
    disconnect.abort();
    expect(await waiting).to.equal(false);
    expect(await watch.changed(long, disconnect.signal)).to.equal(false);
    const second = watch.changed(long, forever);
    waiters.stop();
    expect(await second).to.equal(false);
    expect(await watch.changed(long, forever)).to.equal(false);
    using late = waiters.watch('b', 'ana');
    expect(await late.changed(long, forever)).to.equal(false);
  });

  it('are refused beyond the limit, and beyond half of it for one caller', () => {
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
