import { expect } from 'chai';
import { BeatTime } from '../../../gateway/calls/beat-time.ts';
import { type FeedMessage, FeedSession } from '../../../gateway/calls/feed-session.ts';

const reloj = (numero: number, instancia = 'una') => ({ instancia, numero });
const beat = (numero: number, latidoMs: number): FeedMessage => ({
  reloj: reloj(numero),
  carpetas: [],
  todo: false,
  latidoMs,
});
const change = (numero: number, ...carpetas: string[]): FeedMessage => ({
  reloj: reloj(numero),
  carpetas,
  todo: false,
  latidoMs: undefined,
});
const answer = (numero: number, carpeta = 'a', instancia = 'una') => ({
  reloj: reloj(numero, instancia),
  carpeta,
});

describe('a feed session', () => {
  function begin(): FeedSession {
    const session = new FeedSession(reloj(5));
    session.hear(beat(5, 1_000), 1_000);
    return session;
  }

  it('confirms answers read since it began, until a change of their folder is reported', () => {
    const session = begin();
    expect(session.confirms(answer(5), 1_100)).to.equal(true);
    expect(session.confirms(answer(4), 1_100), 'before it began').to.equal(false);
    session.hear(change(7, 'b'), 1_100);
    expect(session.confirms(answer(5), 1_100)).to.equal(true);
    session.hear(change(8, 'a'), 1_100);
    expect(session.confirms(answer(5), 1_100)).to.equal(false);
    expect(session.confirms(answer(7), 1_100), 'read before the change').to.equal(false);
    expect(session.confirms(answer(8), 1_100), 'read after it').to.equal(true);
  });

  it('does not confirm an answer that was read before a change already reported', () => {
    const session = begin();
    session.hear(change(6, 'a'), 1_050);
    expect(session.confirms(answer(5), 1_100)).to.equal(false);
  });

  it('confirms no answer of another run of the service, and none after it ended', () => {
    const session = begin();
    expect(session.confirms(answer(9, 'a', 'otra'), 1_100)).to.equal(false);
    session.end();
    expect(session.confirms(answer(9), 1_100)).to.equal(false);
  });

  it('confirms no answer from before a report that everything changed', () => {
    const session = begin();
    session.hear({ ...change(6), todo: true }, 1_050);
    expect(session.confirms(answer(5, 'x'), 1_100)).to.equal(false);
    expect(session.confirms(answer(6, 'x'), 1_100)).to.equal(true);
  });

  it('confirms nothing later than a second after the last beat, also when changes arrive', () => {
    const session = begin();
    session.hear(change(6, 'b'), 1_900);
    expect(session.confirms(answer(6), 1_999)).to.equal(true);
    expect(session.confirms(answer(6), 2_000)).to.equal(false);
    session.hear(beat(6, 2_100), 2_100);
    expect(session.confirms(answer(6), 2_200)).to.equal(true);
  });

  it('confirms less, never more, when it forgets folders', () => {
    const session = begin();
    session.hear(change(6, 'a'), 1_050);
    for (let n = 0; n < 20_000; n++) session.hear(change(7 + n, `${n}`), 1_050);
    expect(session.confirms(answer(5), 1_100)).to.equal(false);
    expect(session.confirms(answer(5, 'never reported'), 1_100)).to.equal(false);
    expect(session.confirms(answer(20_007), 1_100)).to.equal(true);
  });

  it('dates a beat that a buffer delayed by earlier beats that came in time', () => {
    const time = new BeatTime();
    expect(time.of(10_000, 500)).to.equal(500);
    expect(time.of(10_250, 751)).to.equal(750);
    // The gateway was frozen for nine seconds, then reads the beats of that time at once.
    expect(time.of(10_500, 9_750)).to.equal(1_000);
    expect(time.of(19_250, 9_750)).to.equal(9_750);
  });

  it('dates beats within 50 ms when the clock of the service runs slow', () => {
    const time = new BeatTime();
    let late = 0;
    for (let at = 0; at < 3_600_000; at += 250) late = Math.max(late, at - time.of(at * 0.9998, at));
    expect(late).to.be.lessThan(50);
  });
});
