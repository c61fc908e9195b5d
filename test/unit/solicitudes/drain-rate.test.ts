import { expect } from 'chai';
import { createDrainRate, type DrainRate } from '../../../gateway/solicitudes/drain-rate.ts';
import type { Estado } from '../../../gateway/solicitudes/ledger.ts';

describe('Retry-After', () => {
  let time: number;
  let drain: DrainRate;
  const come = (state: Estado, times: number, service = 'mserv1'): void => {
    for (let n = 0; n < times; n++) drain.changed({ service, state });
  };

  beforeEach(() => {
    time = 1_000_000_000;
    drain = createDrainRate({ mserv1: 1000, mserv2: 7 }, () => time);
  });

  it('is a short pause while nothing is being answered, however much waits', () => {
    expect(drain.retryAfter('mserv1')).to.equal(5);
    expect(drain.retryAfter('unknown')).to.equal(5);
  });

  it('is what is open, divided by the rate at which it is closed', () => {
    for (let second = 0; second < 5; second++, time += 1000) come('completada', 100);
    // 500 are left, at 100 a second.
    expect(drain.retryAfter('mserv1')).to.equal(5);
    come('aceptada', 500);
    expect(drain.retryAfter('mserv1')).to.equal(10);
    come('encolada', 500);
    expect(drain.retryAfter('mserv1')).to.equal(10);
    expect(drain.retryAfter('mserv2')).to.equal(5);
  });

  it('judges a service that has come back by what it does now', () => {
    come('completada', 1);
    time += 3_600_000;
    come('completada', 199);
    time += 1000;
    // 800 are left, and 199 were closed in a second after an hour of nothing.
    expect(drain.retryAfter('mserv1')).to.equal(5);
  });

  it('forgets the rate of a service that has stopped answering', () => {
    come('completada', 900);
    time += 9000;
    expect(drain.retryAfter('mserv1')).to.equal(1);
    time += 2000;
    expect(drain.retryAfter('mserv1')).to.equal(5);
  });

  it('is never more than a minute, nor less than a second', () => {
    come('fallida', 1);
    time += 1000;
    expect(drain.retryAfter('mserv1')).to.equal(60);
    come('vencida', 5000);
    expect(drain.retryAfter('mserv1')).to.equal(1);
  });

  it('starts from what the ledger counts', () => {
    for (let second = 0; second < 5; second++, time += 1000) come('cancelada', 10);
    drain.recount({ mserv2: 30 });
    expect(drain.retryAfter('mserv1')).to.equal(1);
    come('aceptada', 200);
    expect(drain.retryAfter('mserv1')).to.equal(20);
  });

  it('survives a clock that is put back', () => {
    come('completada', 10);
    time -= 3_600_000;
    come('completada', 10);
    expect(drain.retryAfter('mserv1')).to.be.within(1, 60);
  });
});
