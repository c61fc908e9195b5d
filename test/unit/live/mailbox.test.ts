import { expect } from 'chai';
import { Mailbox } from '../../../gateway/live/mailbox.ts';

describe('a mailbox', () => {
  it('holds only the newest message', async () => {
    const mailbox = new Mailbox<number>();
    const { signal } = new AbortController();
    mailbox.put(1);
    mailbox.put(2);
    expect(await mailbox.take(signal)).to.equal(2);
    const next = mailbox.take(signal);
    mailbox.put(3);
    expect(await next).to.equal(3);
  });

  it('gives undefined when the signal aborts, and keeps a later message for the next reader', async () => {
    const mailbox = new Mailbox<number>();
    const abort = new AbortController();
    const taking = mailbox.take(abort.signal);
    abort.abort();
    expect(await taking).to.equal(undefined);
    mailbox.put(1);
    expect(await mailbox.take(abort.signal)).to.equal(undefined);
    expect(await mailbox.take(new AbortController().signal)).to.equal(1);
  });

  it('may hold a falsy message', async () => {
    const mailbox = new Mailbox<number>();
    mailbox.put(0);
    expect(await mailbox.take(new AbortController().signal)).to.equal(0);
  });
});
