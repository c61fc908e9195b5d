import type { ClientRequest, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { isTracing } from '../../runtime/tracing/tracing.ts';
import { type AccessLog, type Exchange, exchangeOf } from '../http/access-log.ts';
import { type ContentCoding, codingFor } from '../http/content-coding.ts';
import { requestIdOf } from '../http/request-id.ts';
import type { Context } from '../http/state.ts';
import { requestIdHeader, writtenAs } from '../http/written-request.ts';
import type { Concurrency } from '../limits/concurrency.ts';
import type { RateLimit, Spent } from '../limits/rate-limit.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { Representation, Representations } from './representations.ts';

export interface FastPathDeps {
  readonly cache: AnswerCache;
  readonly accessLog: AccessLog;
  readonly concurrency: Concurrency;
  readonly rateLimit: Pick<RateLimit, 'spending'> | undefined;
}

export interface FastPath {
  /** Answers repeated requests, and gives the others to `otherwise`. */
  listener(otherwise: RequestListener): RequestListener;
  /** Keeps how a request was answered, which has just got what the cache has under `cacheKey`. */
  remember(ctx: Context, cacheKey: string, representations: Representations): void;
}

/** How a request is answered as long as the same answer is kept. */
interface Known {
  readonly cacheKey: string;
  /** Which of the answers that the cache has held under that key. */
  readonly answer: number;
  readonly status: number;
  /** Undefined: without a body. */
  readonly body: ContentCoding | undefined;
  /** Names and values, one after the other. Those at the places below are of one answer only. */
  readonly headers: string[];
  readonly requestIdAt: number;
  readonly rateLimitAt: number;
  /** Milliseconds since 1970: by then the caller has to be identified again. */
  readonly identifiedUntil: number;
  readonly spend: ((req: IncomingMessage) => Promise<Spent>) | undefined;
  readonly exchange: Exchange;
}

interface Found {
  readonly how: Known;
  readonly representation: Representation | undefined;
}

/** What a request says of how much of it may be answered from a cache, and what is no plain request. */
const notPlain = [
  ...['cache-control', 'content-length', 'expect', 'idempotency-key', 'pragma', 'prefer'],
  ...['traceparent', 'transfer-encoding', 'upgrade'],
];
/** A browser with its token writes about 2 kB. */
const longestRequest = 4_096;
const roomBytes = 8 * 1024 * 1024;
/** What an entry takes besides its key. */
const overheadBytes = 2_500;

/**
 * Recognises requests that were answered from the cache before, and answers them at once.
 *
 * Who may ask, for what, in which form, is the work of a score of middlewares, which takes several times as long as to find an
 * answer in the cache. What they find out depends on nothing but the bytes of the request, the two addresses of its connection,
 * and how long its token is good. So a request that is written like an earlier one, between the same addresses, gets the same
 * headers and the same answer, provided that this is still fresh; the clock of its token, the number of requests under way,
 * and what the caller has used up are looked at each time. Nothing is decided here: all else is for the middlewares.
 */
export function createFastPath({ cache, accessLog, concurrency, rateLimit }: FastPathDeps): FastPath {
  const known = new LRUCache<string, Known>({
    maxSize: roomBytes,
    sizeCalculation: (_, key) => key.length + overheadBytes,
  });

  /** Of requests that others answer: the middlewares change a request's URL. */
  const written = new WeakMap<IncomingMessage, string>();

  /** Undefined for what is to be answered by others. */
  function find(req: IncomingMessage): Found | undefined {
    const key = writtenAs(req);
    const how = known.get(key);
    const found = how && usable(how);
    if (found === undefined && key.length <= longestRequest) written.set(req, key);
    return found;
  }

  function usable(how: Known): Found | undefined {
    if (how.identifiedUntil <= Date.now()) return undefined;
    const representations = cache.fresh(how.cacheKey)?.representations;
    if (representations?.id !== how.answer || concurrency.full() || isTracing()) return undefined;
    const representation = how.body && representations.in(how.body);
    return representation instanceof Promise ? undefined : { how, representation };
  }

  function send(
    req: IncomingMessage,
    res: ServerResponse,
    startedAt: number,
    { how, representation }: Found,
  ): void {
    accessLog.begins();
    const requestId = requestIdOf(req.headers[requestIdHeader]);
    const ends = () => accessLog.ends(how.exchange, requestId, res.writableFinished, startedAt);
    // It went away while it was charged: nothing closes it again.
    if (res.closed) {
      ends();
      return;
    }
    res.on('close', ends);
    how.headers[how.requestIdAt] = requestId;
    res.writeHead(how.status, how.headers);
    res.end(representation?.body);
  }

  function answer(req: IncomingMessage, res: ServerResponse, otherwise: RequestListener): void {
    const startedAt = performance.now();
    const found = find(req);
    if (found === undefined) otherwise(req, res);
    else if (found.how.spend === undefined) {
      concurrency.enter(res);
      send(req, res, startedAt, found);
    } else {
      // Before it is charged, which may take as long as a database takes.
      concurrency.enterEarly(res);
      const passOn = () => (res.closed ? send(req, res, startedAt, found) : otherwise(req, res));
      const go = ({ left, refusedFor }: Spent) => {
        // The middlewares tell it, and do not charge for it again.
        if (refusedFor !== undefined) return passOn();
        found.how.headers[found.how.rateLimitAt] = left;
        send(req, res, startedAt, found);
      };
      found.how.spend(req).then(go, passOn);
    }
  }

  return {
    listener: (otherwise) => (req, res) => answer(req, res, otherwise),
    remember: (ctx, cacheKey, representations) => {
      const { req, res } = ctx;
      const key = written.get(req);
      if (key === undefined || isTracing() || notPlain.some((name) => name in req.headers)) return;
      const headers = headersOf(res);
      const placeOf = (header: string) =>
        headers.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === header) + 1;
      const hasBody = res.statusCode === 200 && ctx.method === 'GET';
      known.set(key, {
        cacheKey,
        answer: representations.id,
        status: res.statusCode,
        body: hasBody ? codingFor(req.headers['accept-encoding']) : undefined,
        headers,
        requestIdAt: placeOf(requestIdHeader),
        rateLimitAt: placeOf('ratelimit'),
        identifiedUntil: ctx.state.identifiedUntil,
        spend: rateLimit?.spending(ctx),
        exchange: exchangeOf(ctx),
      });
    },
  };
}

/** As they were written. Node's types know only of a client's that it has such names. */
function headersOf(res: ServerResponse): string[] {
  const names = (res as unknown as Pick<ClientRequest, 'getRawHeaderNames'>).getRawHeaderNames();
  return names.flatMap((name) => [res.getHeader(name)].flat().flatMap((value) => [name, String(value)]));
}
