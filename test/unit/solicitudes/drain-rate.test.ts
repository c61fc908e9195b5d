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

  it('is 5 s while nothing is answered, for any number of open solicitudes', () => {
    expect(drain.retryAfter('mserv1')).to.equal(5);
    expect(drain.retryAfter('unknown')).to.equal(5);
  });

  it('is the number of open solicitudes divided by the rate at which they end', () => {
    for (let second = 0; second < 5; second++, time += 1000) come('completada', 100);
    // 500 are open, and 100 end each second.
    expect(drain.retryAfter('mserv1')).to.equal(5);
    come('aceptada', 500);
    expect(drain.retryAfter('mserv1')).to.equal(10);
    come('encolada', 500);
    expect(drain.retryAfter('mserv1')).to.equal(10);
    expect(drain.retryAfter('mserv2')).to.equal(5);
  });

  it('uses the present rate when a service answers again after a pause', () => {
    come('completada', 1);
    time += 3_600_000;
    come('completada', 199);
    time += 1000;
    // 800 are open; 199 ended in one second after an hour without any.
    expect(drain.retryAfter('mserv1')).to.equal(5);
  });

  it('is 5 s again when a service has stopped answering', () => {
    come('completada', 900);
    time += 9000;
    expect(drain.retryAfter('mserv1')).to.equal(1);
    time += 2000;
    expect(drain.retryAfter('mserv1')).to.equal(5);
  });

  it('is at least 1 s and at most 60 s', () => {
    come('fallida', 1);
    time += 1000;
    expect(drain.retryAfter('mserv1')).to.equal(60);
    come('vencida', 5000);
    expect(drain.retryAfter('mserv1')).to.equal(1);
  });

  it('starts again from the counts of the ledger after recount', () => {
    for (let second = 0; second < 5; second++, time += 1000) come('cancelada', 10);
    drain.recount({ mserv2: 30 });
    expect(drain.retryAfter('mserv1')).to.equal(1);
    come('aceptada', 200);
    expect(drain.retryAfter('mserv1')).to.equal(20);
  });

  it('is within 1 s and 60 s after the clock was set back', () => {
    come('completada', 10);
    time -= 3_600_000;
    come('completada', 10);
    expect(drain.retryAfter('mserv1')).to.be.within(1, 60);
  });
});
