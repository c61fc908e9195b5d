import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import type { Caller, CallResult, RequestOptions } from './service-client.ts';

export interface CoalescingOptions {
  /** For a call that brings none of its own. */
  readonly deadlineMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  /** Whom a caller could not reach that has waited for another's call until its deadline. */
  readonly nextHop: () => string;
}

/** A call that takes longer does not keep those who asked since waiting: theirs begins. */
const patienceMs = 100;

/**
 * Makes one call of many for the same. Nobody ever joins a call that began before he asked, because it may have read what
 * was changed since: who asks while one is under way shares the next one with all who do. Each has his own deadline and
 * his own abort, and a call that fails fails those who share it, and no other.
 */
export function coalesce(call: Caller['call'], options: CoalescingOptions): Caller['call'] {
  const groups = new Map<string, Group>();
  return <Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    asked: RequestOptions,
  ): Promise<CallResult<Response>> => {
    if (!method.repeatable) return call(method, request, asked);
    const key = `${method.fullName} ${asked.queued ?? false} ${method.request.toBinary(request).toString('latin1')}`;
    let group = groups.get(key);
    if (group === undefined) {
      const make = (each: RequestOptions) => call(method, request, each);
      group = new Group(make, options, () => groups.delete(key));
      groups.set(key, group);
    }
    return group.ask(asked) as Promise<CallResult<Response>>;
  };
}

/** Somebody who waits for a call that he shares. */
interface Waiting {
  readonly asked: RequestOptions;
  readonly endsAt: number;
  readonly settle: (result: CallResult) => void;
  /** What to do when he does not wait any more. */
  left: () => void;
  done: boolean;
}

/** All who ask for one and the same. */
class Group {
  readonly #call: (options: RequestOptions) => Promise<CallResult>;
  readonly #options: CoalescingOptions;
  readonly #end: () => void;
  #underWay = 0;
  /** Those who share the next call. */
  #next: Waiting[] = [];
  #patience: NodeJS.Timeout | undefined;

  constructor(
    call: (options: RequestOptions) => Promise<CallResult>,
    options: CoalescingOptions,
    end: () => void,
  ) {
    this.#call = call;
    this.#options = options;
    this.#end = end;
  }

  ask(asked: RequestOptions): Promise<CallResult> {
    return this.#underWay === 0 ? this.#run(asked) : this.#wait(asked);
  }

  async #run(options: RequestOptions): Promise<CallResult> {
    this.#underWay += 1;
    try {
      return await this.#call(options);
    } finally {
      this.#underWay -= 1;
      this.#goOn();
    }
  }

  #wait(asked: RequestOptions): Promise<CallResult> {
    const { now, nextHop } = this.#options;
    const { promise, resolve } = Promise.withResolvers<CallResult>();
    const deadlineMs = asked.deadlineMs ?? this.#options.deadlineMs;
    const onAbort = (): void => waiting.settle({ kind: 'gone' });
    const timer = setTimeout(() => waiting.settle(tooLate(nextHop(), deadlineMs)), deadlineMs);
    const waiting: Waiting = {
      asked,
      endsAt: now() + deadlineMs,
      left: () => undefined,
      done: false,
      settle: (result) => {
        if (waiting.done) return;
        waiting.done = true;
        clearTimeout(timer);
        asked.signal.removeEventListener('abort', onAbort);
        resolve(result);
        waiting.left();
      },
    };
    asked.signal.addEventListener('abort', onAbort);
    if (asked.signal.aborted) onAbort();
    this.#next.push(waiting);
    this.#patience ??= setTimeout(() => this.#goOn(), patienceMs);
    return promise;
  }

  /** Begins the call that those share who have asked until now. */
  #goOn(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    const waiting = this.#next.filter(({ done }) => !done);
    this.#next = [];
    const [first] = waiting;
    if (first !== undefined) void this.#share(first, waiting);
    else if (this.#underWay === 0) this.#end();
  }

  async #share(first: Waiting, waiting: readonly Waiting[]): Promise<void> {
    const nobody = new AbortController();
    for (const each of waiting) {
      each.left = () => {
        if (waiting.every(({ done }) => done)) nobody.abort();
      };
    }
    const deadlineMs = Math.max(...waiting.map(({ endsAt }) => endsAt)) - this.#options.now();
    const result = await this.#run({
      ...first.asked,
      signal: nobody.signal,
      deadlineMs: Math.max(1, Math.ceil(deadlineMs)),
    });
    for (const each of waiting) {
      // The call has ended: nobody leaves it any more.
      each.left = () => undefined;
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
