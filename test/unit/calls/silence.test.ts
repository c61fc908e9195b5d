import { mock } from 'node:test';
import { expect } from 'chai';
import { checkIntervalMs, watchSilence } from '../../../gateway/calls/silence.ts';

describe('The watch over a silent peer', () => {
  let told: string[];
  let channel: { received: number | undefined };
  let end: () => void;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
    told = [];
    channel = { received: 0 };
    end = watchSilence({
      channel,
      ask: () => told.push('ask'),
      onSilent: () => told.push('silent'),
      onFrozen: () => told.push('frozen'),
    });
    mock.timers.tick(checkIntervalMs);
  });
  afterEach(() => {
    end();
    mock.timers.reset();
  });

  it('asks a peer that sends nothing, calls it silent after two seconds and frozen after five', () => {
    mock.timers.tick(2_000 - 1);
    expect(told).to.deep.equal(['ask', 'ask', 'ask']);
    mock.timers.tick(1);
    expect(told.at(-1)).to.equal('silent');
    mock.timers.tick(3_000 - 1);
    expect(told.slice(4)).to.deep.equal(['ask', 'ask', 'ask', 'ask', 'ask']);
    mock.timers.tick(1);
    expect(told.at(-1)).to.equal('frozen');
    channel.received = undefined;
    mock.timers.tick(10_000);
    expect(told).to.have.length(10);
  });

  it('begins anew with every byte, and asks nothing of a peer that sends by itself', () => {
    for (let n = 0; n < 100; n++) {
      channel.received = n;
      mock.timers.tick(checkIntervalMs);
    }
    expect(told).to.deep.equal([]);
    mock.timers.tick(7 * checkIntervalMs);
    channel.received = 100;
    mock.timers.tick(7 * checkIntervalMs);
    expect(told).to.not.include('silent');
  });
});
