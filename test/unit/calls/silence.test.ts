import { mock } from 'node:test';
import { expect } from 'chai';
import { checkIntervalMs, watchSilence } from '../../../gateway/calls/silence.ts';

describe('the silence watch', () => {
  let events: string[];
  let channel: { received: number | undefined };
  let end: () => void;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
    events = [];
    channel = { received: 0 };
    end = watchSilence({
      channel,
      ask: () => events.push('ask'),
      onSilent: () => events.push('silent'),
      onFrozen: () => events.push('frozen'),
    });
    mock.timers.tick(checkIntervalMs);
  });
  afterEach(() => {
    end();
    mock.timers.reset();
  });

  it('sends requests to a quiet peer, and reports it as silent after 2 s and as frozen after 5 s', () => {
    mock.timers.tick(2_000 - 1);
    expect(events).to.deep.equal(['ask', 'ask', 'ask']);
    mock.timers.tick(1);
    expect(events.at(-1)).to.equal('silent');
    mock.timers.tick(3_000 - 1);
    expect(events.slice(4)).to.deep.equal(['ask', 'ask', 'ask', 'ask', 'ask']);
    mock.timers.tick(1);
    expect(events.at(-1)).to.equal('frozen');
    channel.received = undefined;
    mock.timers.tick(10_000);
    expect(events).to.have.length(10);
  });

  it('starts again with every byte received, and sends no request while bytes arrive', () => {
    for (let n = 0; n < 100; n++) {
      channel.received = n;
      mock.timers.tick(checkIntervalMs);
    }
    expect(events).to.deep.equal([]);
    mock.timers.tick(7 * checkIntervalMs);
    channel.received = 100;
    mock.timers.tick(7 * checkIntervalMs);
    expect(events).to.not.include('silent');
  });
});
