import { expect } from 'chai';
import { type Breaker, createBreaker } from '../../../gateway/calls/breaker.ts';

/** A breaker whose probes are answered by the test. */
function setup() {
  const probes: PromiseWithResolvers<string | undefined>[] = [];
  const waiting: (() => void)[] = [];
  const told: string[] = [];
  let time = 0;
  const breaker: Breaker<string> = createBreaker<string>({
    probe: () => {
      const probe = Promise.withResolvers<string | undefined>();
      probes.push(probe);
      waiting.shift()?.();
      return probe.promise;
    },
    intervalMs: 1,
    now: () => time,
    onChange: (state) => told.push(state.kind),
  });
  return {
    breaker,
    probes,
    told,
    at: (ms: number) => {
      time = ms;
    },
    /** Answers the probe that is out, and waits until the breaker knows. */
    answer: async (cause: string | undefined) => {
      const checked = breaker.check();
      probes.at(-1)?.resolve(cause);
      await checked;
    },
    nextProbe: () => new Promise<void>((resolve) => waiting.push(resolve)),
  };
}

describe('The breaker', () => {
  it('is closed at first, and asks nobody', () => {
    const { breaker, probes } = setup();
    expect(breaker.state).to.deep.equal({ kind: 'closed' });
    expect(probes).to.be.empty;
    breaker.stop();
  });

  it('opens at the first failure, says why and since when, and probes at once', () => {
    const { breaker, probes, told, at } = setup();
    at(1_000);
    breaker.open('refused');
    expect(breaker.state).to.deep.equal({ kind: 'open', since: 1_000, cause: 'refused' });
    expect(probes).to.have.length(1);
    expect(told).to.deep.equal(['open']);
    breaker.stop();
  });

  it('closes when a probe is answered', async () => {
    const { breaker, told, answer } = setup();
    breaker.open('refused');
    await answer(undefined);
    expect(breaker.state.kind).to.equal('closed');
    expect(told).to.deep.equal(['open', 'closed']);
    breaker.stop();
  });

  it('stays open while probes fail, tells the last reason, and asks again after the pause', async () => {
    const { breaker, told, at, answer, nextProbe } = setup();
    at(5);
    breaker.open('refused');
    at(9);
    const next = nextProbe();
    await answer('silent');
    expect(breaker.state).to.deep.equal({ kind: 'open', since: 5, cause: 'silent' });
    await next;
    await answer(undefined);
    expect(told).to.deep.equal(['open', 'closed']);
    breaker.stop();
  });

  it('never has two probes out', () => {
    const { breaker, probes } = setup();
    breaker.open('refused');
    breaker.open('refused again');
    void breaker.check();
    void breaker.check();
    expect(probes).to.have.length(1);
    breaker.stop();
  });

  it('opens when a check out of turn fails, and not when it is answered', async () => {
    const { breaker, told, answer } = setup();
    await answer(undefined);
    expect(told).to.be.empty;
    await answer('frozen');
    expect(breaker.state.kind).to.equal('open');
    breaker.stop();
  });

  it('does nothing more once it is stopped', async () => {
    const { breaker, probes, told } = setup();
    breaker.open('refused');
    breaker.stop();
    probes[0]?.resolve(undefined);
    await breaker.check();
    breaker.open('again');
    expect(told).to.deep.equal(['open']);
    expect(probes).to.have.length(1);
  });
});
