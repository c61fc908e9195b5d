import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { coalesce } from '../../../gateway/calls/coalescing.ts';
import type { CallResult, RequestOptions, ServiceClient } from '../../../gateway/calls/service-client.ts';
import { eventually } from '../../support/processes/eventually.ts';
import { listarArchivos, listRequest, notRepeatable } from '../../support/services/listado-server.ts';

interface MadeCall {
  readonly ruta: string;
  readonly options: RequestOptions;
  /** Position among all requests and calls of the test. */
  readonly at: number;
  end(result: CallResult): void;
  over: boolean;
}

interface CoalescedRequest {
  readonly at: number;
  readonly abort: AbortController;
  result: CallResult | undefined;
}

/** Calls that the test ends. Aborts every request when it is disposed. */
class Calls implements Disposable {
  readonly #asked: CoalescedRequest[] = [];
  readonly made: MadeCall[] = [];
  count = 0;
  readonly call: ServiceClient['call'] = coalesce(
    ((_method: unknown, request: { ruta: string }, options: RequestOptions) =>
      this.#make(request.ruta, options)) as ServiceClient['call'],
    { deadlineMs: 60_000, now: () => performance.now(), nextHop: () => 'aquí:1' },
  );

  #make(ruta: string, options: RequestOptions): Promise<CallResult> {
    const { promise, resolve } = Promise.withResolvers<CallResult>();
    const made: MadeCall = {
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

  ask(ruta: string, deadlineMs?: number): CoalescedRequest {
    const asked: CoalescedRequest = { at: ++this.count, abort: new AbortController(), result: undefined };
    const { signal } = asked.abort;
    const options = { signal, requestId: 'r', traceparent: '', ...(deadlineMs && { deadlineMs }) };
    this.#asked.push(asked);
    void this.call(listarArchivos, listRequest(ruta), options).then((result) => {
      asked.result = result;
    });
    return asked;
  }

  [Symbol.dispose](): void {
    for (const { abort } of this.#asked) abort.abort();
  }
}

const verdictOf = (made: MadeCall): CallResult =>
  ({ kind: 'verdict', ok: true, response: made, address: 'aquí:1' }) as CallResult;
const failure: CallResult = {
  kind: 'unreachable',
  address: 'aquí:1',
  failure: { code: 14, message: 'no', origin: 'client', sent: true, cancelledByUs: false },
  proxyError: 'connection_terminated',
};

/** The expected result of every request, from two lists: requests that wait and requests that the current call answers. */
class Model {
  inCall: number[] = [];
  waiting: number[] = [];
  readonly results = new Map<number, 'gone' | 'failed' | number>();
  calls = 0;
  #current = -1;

  ask(id: number): void {
    this.waiting.push(id);
    if (this.inCall.length === 0 && this.#current === -1) this.#begin();
  }

  abort(id: number): void {
    if (this.results.has(id)) return;
    this.results.set(id, 'gone');
    this.waiting = this.waiting.filter((other) => other !== id);
    if (!this.inCall.includes(id)) return;
    this.inCall = this.inCall.filter((other) => other !== id);
    if (this.inCall.length === 0) this.#begin();
  }

  end(failed: boolean): void {
    for (const id of this.inCall) this.results.set(id, failed ? 'failed' : this.#current);
    this.inCall = [];
    this.#begin();
  }

  #begin(): void {
    this.inCall = this.waiting;
    this.waiting = [];
    this.#current = this.inCall.length === 0 ? -1 : this.calls++;
  }
}

describe('coalescing', () => {
  it('makes the calls and gives the results of a simple model for random steps', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), n: fc.nat(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), n: fc.nat(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), n: fc.nat(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), n: fc.nat(30) }) },
    );
    const holds = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      using calls = new Calls();
      const model = new Model();
      const asked: CoalescedRequest[] = [];
      for (const { do: action, n } of steps) {
        if (action === 'ask') {
          model.ask(asked.length);
          asked.push(calls.ask('a'));
        } else if (action === 'abort') {
          if (asked[n] === undefined) continue;
          model.abort(n);
          asked[n].abort.abort();
        } else {
          const current = calls.made.find(({ over }) => !over);
          if (current === undefined) continue;
          model.end(action === 'fail');
          current.end(action === 'fail' ? failure : verdictOf(current));
        }
        await turn();
      }
      expect(calls.made).to.have.length(model.calls);
      for (const [id, { result, at }] of asked.entries()) {
        const wanted = model.results.get(id);
        if (result?.kind !== 'verdict') {
          const got = result?.kind === 'unreachable' ? 'failed' : result?.kind;
          expect(got, `${id}`).to.equal(wanted);
          continue;
        }
        const made = (result as unknown as { response: MadeCall }).response;
        expect(calls.made.indexOf(made), `${id}`).to.equal(wanted);
        expect(made.at, 'called after the request').to.be.greaterThan(at);
      }
    });
    await fc.assert(holds, { numRuns: 300 });
  });

  it('shares calls only between equal requests of repeatable methods', async () => {
    using calls = new Calls();
    calls.ask('a');
    calls.ask('b');
    calls.ask('a');
    expect(calls.made.map(({ ruta }) => ruta)).to.deep.equal(['a', 'b']);
    const options = { signal: new AbortController().signal, requestId: 'r', traceparent: '' };
    void calls.call(notRepeatable, listRequest('b'), options);
    expect(calls.made).to.have.length(3);
  });

  it('ends each request at its own deadline', async () => {
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

  it('aborts a call when all its requests aborted, and not when it was answered', async () => {
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

  it('begins a next call while an earlier one hangs', async () => {
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
