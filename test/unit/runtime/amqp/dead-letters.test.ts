import { expect } from 'chai';
import { wayBack } from '../../../../runtime/amqp/dead-letters.ts';
import type { Delivery } from '../../../../runtime/amqp/subscriber.ts';
import { queuesOf } from '../../../../runtime/amqp/topology.ts';

const queues = queuesOf('mserv1');
const { work, isolation } = queues;

const way = (headers: Record<string, unknown> | undefined) =>
  wayBack({ properties: { headers } } as Delivery, queues);
const death = (queue: string, reason: string) => ({ queue, reason, count: 1 });

describe('the way back from the quarantine', () => {
  it('leads to the work queue when the message only expired, or was dropped from a full queue', () => {
    for (const reason of ['expired', 'maxlen']) {
      const deaths = [death(isolation, reason), death(work, reason)];
      expect(way({ 'x-death': deaths })).to.deep.equal({ queue: work });
    }
  });

  it('leads to isolation three times when the message has killed workers, or was refused', () => {
    for (const reason of ['delivery_limit', 'rejected']) {
      const deaths = [death(isolation, 'expired'), death(work, reason)];
      expect(way({ 'x-death': deaths })).to.deep.equal({ queue: isolation, headers: { 'x-aislada': 1 } });
    }
    const again = (returns: number) =>
      way({ 'x-death': [death(isolation, 'expired')], 'x-aislada': returns });
    expect(again(2)).to.deep.equal({ queue: isolation, headers: { 'x-aislada': 3 } });
    expect(again(3)).to.equal(undefined);
  });

  it('does not exist for a message that was refused or killed workers in isolation', () => {
    for (const reason of ['delivery_limit', 'rejected']) {
      expect(way({ 'x-death': [death(isolation, reason), death(work, 'expired')] })).to.equal(undefined);
    }
  });

  it('does not exist for a message that never died, or whose x-death is no list of tables', () => {
    for (const headers of [
      undefined,
      {},
      { 'x-death': [] },
      { 'x-death': 'expired' },
      { 'x-death': [null, 7] },
    ])
      expect(way(headers)).to.equal(undefined);
  });
});
