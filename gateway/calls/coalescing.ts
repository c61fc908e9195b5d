import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import type { CallResult, RequestOptions, ServiceClient } from './service-client.ts';

export interface CoalescingOptions {
  /** The deadline of a call that has none of its own. */
  readonly deadlineMs: number;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** Returns the address to report when a request's deadline passes before a call was made for it. */
  readonly nextHop: () => string;
}

/** A call that takes longer no longer delays the requests that wait for it: their own call starts. */
const maxDelayMs = 100;

/**
 * Combines equal calls. A request never joins a call already in flight, because that call may have read older data. It
 * shares the next call with all requests that arrive meanwhile. Each request keeps its own deadline and signal, and a
 * failed call fails only the requests that share it.
 */
export function coalesce(call: ServiceClient['call'], options: CoalescingOptions): ServiceClient['call'] {
  const groups = new Map<string, Group>();
  return <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    callOptions: RequestOptions,
  ): Promise<CallResult<Response>> => {
    if (!method.repeatable) return call(method, request, callOptions);
    const key = `${method.fullName} ${callOptions.queued ?? false} ${method.request.toBinary(request).toString('latin1')}`;
    let group = groups.get(key);
    if (group === undefined) {
      const make = (each: RequestOptions) => call(method, request, each);
      group = new Group(make, options, () => groups.delete(key));
      groups.set(key, group);
    }
    return group.ask(callOptions) as Promise<CallResult<Response>>;
  };
}

/** A request that waits for a shared call. */
interface Waiting {
  readonly callOptions: RequestOptions;
  readonly endsAt: number;
  readonly settle: (result: CallResult) => void;
  /** Called when the request stops waiting. */
  onLeave: () => void;
  done: boolean;
}

/** The equal requests in flight. */
class Group {
  readonly #call: (options: RequestOptions) => Promise<CallResult>;
  readonly #options: CoalescingOptions;
  readonly #end: () => void;
  #inFlight = 0;
  /** The requests that share the next call. */
  #next: Waiting[] = [];
  #delay: NodeJS.Timeout | undefined;

  constructor(
    call: (options: RequestOptions) => Promise<CallResult>,
    options: CoalescingOptions,
    end: () => void,
  ) {
    this.#call = call;
    this.#options = options;
    this.#end = end;
  }

  ask(callOptions: RequestOptions): Promise<CallResult> {
    return this.#inFlight === 0 ? this.#run(callOptions) : this.#wait(callOptions);
  }

  async #run(options: RequestOptions): Promise<CallResult> {
    this.#inFlight += 1;
    try {
      return await this.#call(options);
    } finally {
      this.#inFlight -= 1;
      this.#startNext();
    }
  }

  #wait(callOptions: RequestOptions): Promise<CallResult> {
    const { now, nextHop } = this.#options;
    const { promise, resolve } = Promise.withResolvers<CallResult>();
    const deadlineMs = callOptions.deadlineMs ?? this.#options.deadlineMs;
    const onAbort = (): void => waiting.settle({ kind: 'gone' });
    const timer = setTimeout(() => waiting.settle(tooLate(nextHop(), deadlineMs)), deadlineMs);
    const waiting: Waiting = {
      callOptions,
      endsAt: now() + deadlineMs,
      onLeave: () => undefined,
      done: false,
      settle: (result) => {
        if (waiting.done) return;
        waiting.done = true;
        clearTimeout(timer);
        callOptions.signal.removeEventListener('abort', onAbort);
        resolve(result);
        waiting.onLeave();
      },
    };
    callOptions.signal.addEventListener('abort', onAbort);
    if (callOptions.signal.aborted) onAbort();
    this.#next.push(waiting);
    this.#delay ??= setTimeout(() => this.#startNext(), maxDelayMs);
    return promise;
  }

  /** Starts the call that the waiting requests share. */
  #startNext(): void {
    clearTimeout(this.#delay);
    this.#delay = undefined;
    const waiting = this.#next.filter(({ done }) => !done);
    this.#next = [];
    const [first] = waiting;
    if (first !== undefined) void this.#share(first, waiting);
    else if (this.#inFlight === 0) this.#end();
  }

  async #share(first: Waiting, waiting: readonly Waiting[]): Promise<void> {
    const abandoned = new AbortController();
    for (const each of waiting) {
      each.onLeave = () => {
        if (waiting.every(({ done }) => done)) abandoned.abort();
      };
    }
    const deadlineMs = Math.max(...waiting.map(({ endsAt }) => endsAt)) - this.#options.now();
    const result = await this.#run({
      ...first.callOptions,
      signal: abandoned.signal,
      deadlineMs: Math.max(1, Math.ceil(deadlineMs)),
    });
    for (const each of waiting) {
      // The call has ended, so a request that leaves need not abort it.
      each.onLeave = () => undefined;
      each.settle(result);
    }
  }
}

function tooLate(address: string, deadlineMs: number): CallResult {
  return {
    kind: 'unreachable',
    address,
    failure: {
      code: Status.DEADLINE_EXCEEDED,
      message: `No answer in ${deadlineMs} ms`,
      origin: 'client',
      sent: true,
      cancelledByUs: false,
    },
    proxyError: 'http_response_timeout',
  };
}
