import { expect } from 'chai';
import { type Breaker, createBreaker } from '../../../gateway/calls/breaker.ts';

/** A breaker whose probes are answered by the test. */
function setup() {
  const probes: PromiseWithResolvers<string | undefined>[] = [];
  const waiting: (() => void)[] = [];
  const states: string[] = [];
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
    onChange: (state) => states.push(state.kind),
  });
  return {
    breaker,
    probes,
    states,
    at: (ms: number) => {
      time = ms;
    },
    /** Answers the pending probe, and waits until the breaker has noted it. */
    answer: async (cause: string | undefined) => {
      const checked = breaker.check();
      probes.at(-1)?.resolve(cause);
      await checked;
    },
    nextProbe: () => new Promise<void>((resolve) => waiting.push(resolve)),
  };
}

describe('the breaker', () => {
  it('is closed at first, and sends no probe', () => {
    const { breaker, probes } = setup();
    expect(breaker.state).to.deep.equal({ kind: 'closed' });
    expect(probes).to.be.empty;
    breaker.stop();
  });

  it('opens at the first failure with its cause and time, and probes at once', () => {
    const { breaker, probes, states, at } = setup();
    at(1_000);
    breaker.open('refused');
    expect(breaker.state).to.deep.equal({ kind: 'open', since: 1_000, cause: 'refused' });
    expect(probes).to.have.length(1);
    expect(states).to.deep.equal(['open']);
    breaker.stop();
  });

  it('closes when a probe is answered', async () => {
    const { breaker, states, answer } = setup();
    breaker.open('refused');
    await answer(undefined);
    expect(breaker.state.kind).to.equal('closed');
    expect(states).to.deep.equal(['open', 'closed']);
    breaker.stop();
  });

  it('stays open with the cause of the last failed probe, and probes again after the interval', async () => {
    const { breaker, states, at, answer, nextProbe } = setup();
    at(5);
    breaker.open('refused');
    at(9);
    const next = nextProbe();
    await answer('silent');
    expect(breaker.state).to.deep.equal({ kind: 'open', since: 5, cause: 'silent' });
    await next;
    await answer(undefined);
    expect(states).to.deep.equal(['open', 'closed']);
    breaker.stop();
  });

  it('never has two probes pending', () => {
    const { breaker, probes } = setup();
    breaker.open('refused');
    breaker.open('refused again');
    void breaker.check();
    void breaker.check();
    expect(probes).to.have.length(1);
    breaker.stop();
  });

  it('opens when an extra check fails, and stays closed when it succeeds', async () => {
    const { breaker, states, answer } = setup();
    await answer(undefined);
    expect(states).to.be.empty;
    await answer('frozen');
    expect(breaker.state.kind).to.equal('open');
    breaker.stop();
  });

  it('stays as it is after stop, also when a pending probe ends', async () => {
    const { breaker, probes, states } = setup();
    breaker.open('refused');
    breaker.stop();
    probes[0]?.resolve(undefined);
    await breaker.check();
    breaker.open('again');
    expect(states).to.deep.equal(['open']);
    expect(probes).to.have.length(1);
  });
});
