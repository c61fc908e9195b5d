import { type ContentCoding, encode } from '../http/content-coding.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';

/** A representation in one content coding, with its headers as one list. */
export interface Representation {
  /**
   * Bytes, or a short text with one character per byte (latin1). Node sends a text and the headers in one write. For bytes
   * it needs two buffers and a slower writev: 4 µs of 35 for a cached answer.
   */
  readonly body: Buffer | string;
  readonly etag: string | undefined;
  /** Names and values of the headers that a 304 also carries, except `etag`. */
  readonly about: readonly string[];
  /** Names and values of all headers. */
  readonly headers: readonly string[];
}

type Coding = Exclude<ContentCoding, 'identity'>;
const codings: readonly Coding[] = ['gzip', 'br'];

/** Compression threshold: smaller bodies fit into one packet anyway. */
const minBytes = 1_000;
/** Maximum length of a text body. Copying a longer one costs more than the second buffer. */
const maxTextBytes = 8_000;
const describesBody = /^(?:content-|etag$)/;

/**
 * The representations of an answer, one per content coding. Each is made at its first use and has a strong ETag of its own.
 * A holder may keep the object, but must call `in` before each use.
 */
export class Representations {
  readonly status: number;
  readonly identity: Representation;
  readonly #answer: RenderedAnswer;
  readonly #coded = new Map<ContentCoding, Representation | Promise<Representation>>();
  #bytes: number;

  constructor(answer: RenderedAnswer) {
    this.status = answer.status;
    this.#answer = answer;
    this.identity = representationOf(answer);
    // A short body is stored twice, as bytes to compress and as text to send.
    this.#bytes =
      answer.body.length + (typeof this.identity.body === 'string' ? this.identity.body.length : 0);
  }

  /** Bytes of all representations made so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the representation in a coding, or the identity when the coding would not make it smaller. */
  in(coding: ContentCoding): Representation | Promise<Representation> {
    if (coding === 'identity' || this.identity.body.length < minBytes) return this.identity;
    const existing = this.#coded.get(coding);
    if (existing !== undefined) return existing;
    const pending = this.#make(coding);
    this.#coded.set(coding, pending);
    return pending;
  }

  /**
   * Returns the first ETag in `If-None-Match` that belongs to any representation; undefined when none does. The comparison
   * is weak, and a coding matches even before its representation was made.
   */
  known(ifNoneMatch: string): string | undefined {
    const { etag } = this.#answer.headers;
    if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return etag;
    const etags = new Set([etag, ...codings.map((coding) => etagIn(coding, etag))]);
    return ifNoneMatch.match(/"[^"]*"/g)?.find((tag) => etags.has(tag));
  }

  async #make(coding: Coding): Promise<Representation> {
    const { headers, body } = this.#answer;
    const coded = await encode(body, coding);
    let representation = this.identity;
    if (coded.length < body.length) {
      const etag = etagIn(coding, headers['etag']);
      const codedHeaders = { ...headers, ...(etag !== undefined && { etag }), 'content-encoding': coding };
      representation = representationOf({ status: this.status, headers: codedHeaders, body: coded });
      this.#bytes += coded.length;
    }
    this.#coded.set(coding, representation);
    return representation;
  }
}

function representationOf({ status, headers, body }: RenderedAnswer): Representation {
  const fields = Object.entries(headers);
  // Error texts depend on the language.
  const vary = status < 400 ? 'Accept, Accept-Encoding' : 'Accept, Accept-Encoding, Accept-Language';
  const about = [
    ...fields.filter(([name]) => !describesBody.test(name)).flat(),
    ...['vary', vary],
    ...('cache-control' in headers ? [] : ['cache-control', 'no-cache']),
  ];
  const bodyHeaders = [
    ...fields.filter(([name]) => describesBody.test(name)),
    ['content-length', String(body.length)],
  ];
  return {
    body: body.length <= maxTextBytes ? body.toString('latin1') : body,
    etag: headers['etag'],
    about,
    headers: [...about, ...bodyHeaders.flat()],
  };
}

/** Derives a coding's ETag: `"abc"` becomes `"abc-gzip"`. */
function etagIn(coding: Coding, etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `${etag.slice(0, -1)}-${coding}"`;
}
