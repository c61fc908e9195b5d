import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { coalesce } from '../../../gateway/calls/coalescing.ts';
import type { CallResult, RequestOptions, ServiceClient } from '../../../gateway/calls/service-client.ts';
import { eventually } from '../../support/processes/eventually.ts';
import { folder, listarArchivos, notRepeatable } from '../../support/services/listado-server.ts';

interface Made {
  readonly ruta: string;
  readonly options: RequestOptions;
  /** By the count of all that happened. */
  readonly at: number;
  end(result: CallResult): void;
  over: boolean;
}

interface Asked {
  readonly at: number;
  readonly abort: AbortController;
  result: CallResult | undefined;
}

/** Calls whose ends are the test's doing. In the end nobody waits any more. */
class Calls implements Disposable {
  readonly #asked: Asked[] = [];
  readonly made: Made[] = [];
  count = 0;
  readonly call: ServiceClient['call'] = coalesce(
    ((_method: unknown, request: { ruta: string }, options: RequestOptions) =>
      this.#make(request.ruta, options)) as ServiceClient['call'],
    { deadlineMs: 60_000, now: () => performance.now(), nextHop: () => 'aquí:1' },
  );

  #make(ruta: string, options: RequestOptions): Promise<CallResult> {
    const { promise, resolve } = Promise.withResolvers<CallResult>();
    const made: Made = {
      ruta,
      options,
      at: ++this.count,
      over: false,
      end: (result) => {
        made.over = true;
        resolve(result);
      },
    };
    options.signal.addEventListener('abort', () => made.end({ kind: 'gone' }));
    this.made.push(made);
    return promise;
  }

  ask(ruta: string, deadlineMs?: number): Asked {
    const asked: Asked = { at: ++this.count, abort: new AbortController(), result: undefined };
    const { signal } = asked.abort;
    const options = { signal, requestId: 'r', traceparent: '', ...(deadlineMs && { deadlineMs }) };
    this.#asked.push(asked);
    void this.call(listarArchivos, folder(ruta), options).then((result) => {
      asked.result = result;
    });
    return asked;
  }

  [Symbol.dispose](): void {
    for (const { abort } of this.#asked) abort.abort();
  }
}

const verdictOf = (made: Made): CallResult =>
  ({ kind: 'verdict', verdict: { ok: true, response: made }, address: 'aquí:1' }) as CallResult;
const failure: CallResult = {
  kind: 'unreachable',
  address: 'aquí:1',
  failure: { code: 14, message: 'no', origin: 'client', sent: true, cancelledByUs: false },
  proxyError: 'connection_terminated',
};

/** What must become of everybody, told in the simplest way: one list of who waits, one of who is being answered. */
class Model {
  answering: number[] = [];
  waiting: number[] = [];
  readonly results = new Map<number, 'gone' | 'failed' | number>();
  calls = 0;
  #current = -1;

  ask(who: number): void {
    this.waiting.push(who);
    if (this.answering.length === 0 && this.#current === -1) this.#begin();
  }

  abort(who: number): void {
    if (this.results.has(who)) return;
    this.results.set(who, 'gone');
    this.waiting = this.waiting.filter((other) => other !== who);
    if (!this.answering.includes(who)) return;
    this.answering = this.answering.filter((other) => other !== who);
    if (this.answering.length === 0) this.#begin();
  }

  end(failed: boolean): void {
    for (const who of this.answering) this.results.set(who, failed ? 'failed' : this.#current);
    this.answering = [];
    this.#begin();
  }

  #begin(): void {
    this.answering = this.waiting;
    this.waiting = [];
    this.#current = this.answering.length === 0 ? -1 : this.calls++;
  }
}

describe('calls that are made together', () => {
  it('are those that the model makes, whoever asks, goes or fails (against a model)', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), n: fc.nat(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), n: fc.nat(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), n: fc.nat(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), n: fc.nat(30) }) },
    );
    const holds = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      using calls = new Calls();
      const model = new Model();
      const asked: Asked[] = [];
      for (const { do: what, n } of steps) {
        if (what === 'ask') {
          model.ask(asked.length);
          asked.push(calls.ask('a'));
        } else if (what === 'abort') {
          if (asked[n] === undefined) continue;
          model.abort(n);
          asked[n].abort.abort();
        } else {
          const under = calls.made.find(({ over }) => !over);
          if (under === undefined) continue;
          model.end(what === 'fail');
          under.end(what === 'fail' ? failure : verdictOf(under));
        }
        await turn();
      }
      expect(calls.made).to.have.length(model.calls);
      for (const [who, { result, at }] of asked.entries()) {
        const wanted = model.results.get(who);
        if (result?.kind !== 'verdict') {
          const got = result?.kind === 'unreachable' ? 'failed' : result?.kind;
          expect(got, `${who}`).to.equal(wanted);
          continue;
        }
        const made = (result.verdict as unknown as { response: Made }).response;
        expect(calls.made.indexOf(made), `${who}`).to.equal(wanted);
        expect(made.at, 'read after it was asked').to.be.greaterThan(at);
      }
    });
    await fc.assert(holds, { numRuns: 300 });
  });

  it('are for the same only, and never those that may not be repeated', async () => {
    using calls = new Calls();
    calls.ask('a');
    calls.ask('b');
    calls.ask('a');
    expect(calls.made.map(({ ruta }) => ruta)).to.deep.equal(['a', 'b']);
    const options = { signal: new AbortController().signal, requestId: 'r', traceparent: '' };
    void calls.call(notRepeatable, folder('b'), options);
    expect(calls.made).to.have.length(3);
  });

  it('end for each at his own deadline', async () => {
    using calls = new Calls();
    calls.ask('a');
    const hasty = calls.ask('a', 5);
    const patient = calls.ask('a');
    await eventually(() => hasty.result !== undefined);
    expect(hasty.result).to.include({ kind: 'unreachable', proxyError: 'http_response_timeout' });
    calls.made[0]?.end(failure);
    await eventually(() => calls.made.length === 2);
    calls.made[1]?.end(failure);
    await eventually(() => patient.result !== undefined);
  });

  it('are aborted when nobody waits for them any more, and not because they were answered', async () => {
    using calls = new Calls();
    calls.ask('a');
    const [second, third] = [calls.ask('a'), calls.ask('a')];
    calls.made[0]?.end(failure);
    await eventually(() => calls.made.length === 2);
    const fourth = calls.ask('a');
    for (const { abort } of [second, third]) abort.abort();
    expect(calls.made[1]?.options.signal.aborted).to.equal(true);
    await eventually(() => calls.made.length === 3);
    calls.made[2]?.end(failure);
    await eventually(() => fourth.result !== undefined);
    expect(calls.made[2]?.options.signal.aborted).to.equal(false);
  });

  it('do not wait for one that hangs', async () => {
    using calls = new Calls();
    const first = calls.ask('a');
    const second = calls.ask('a');
    await eventually(() => calls.made.length === 2);
    const [, next] = calls.made;
    if (next !== undefined) next.end(verdictOf(next));
    await eventually(() => second.result !== undefined);
    expect(first.result).to.equal(undefined);
  });
});
