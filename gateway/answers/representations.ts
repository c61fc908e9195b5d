import { type ContentCoding, encode } from '../http/content-coding.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';

type Fields = readonly (readonly [name: string, value: string])[];

/** An answer in one content coding, with its headers as they are set one after the other. */
export interface Form {
  readonly body: Buffer;
  /** What a 304 has too: `etag`, `vary`, `link`. */
  readonly about: Fields;
  /** What tells how to read the body. */
  readonly ofBody: Fields;
}

type Coding = Exclude<ContentCoding, 'identity'>;
const codings: readonly Coding[] = ['gzip', 'br'];

/** Smaller bodies fit into one packet as they are. */
const worthwhileBytes = 1_000;
const describesBody = /^content-/;

/**
 * An answer in all of its content codings, each made when it is first asked for, and each with a strong ETag of its own. It
 * may be kept by whoever gets it, but must be asked for again before each use.
 */
export class Forms {
  static #last = 0;
  /** No other answer of this process has it. */
  readonly id = ++Forms.#last;
  readonly status: number;
  readonly identity: Form;
  readonly #answer: RenderedAnswer;
  readonly #coded = new Map<ContentCoding, Form | Promise<Form>>();
  #bytes: number;

  constructor(answer: RenderedAnswer) {
    this.status = answer.status;
    this.#answer = answer;
    this.identity = formOf(answer);
    this.#bytes = answer.body.length;
  }

  /** What all that was made so far takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The answer itself when a coding would not make it smaller. */
  in(coding: ContentCoding): Form | Promise<Form> {
    if (coding === 'identity' || this.identity.body.length < worthwhileBytes) return this.identity;
    const made = this.#coded.get(coding);
    if (made !== undefined) return made;
    const making = this.#make(coding);
    this.#coded.set(coding, making);
    return making;
  }

  /**
   * The ETag, of whichever form, that a client says it has (`If-None-Match`); undefined when it has none of them. `W/` does
   * not matter there, and a coding need not have been made to be known by its ETag.
   */
  known(ifNoneMatch: string): string | undefined {
    const { etag } = this.#answer.headers;
    if (ifNoneMatch === etag || ifNoneMatch.trim() === '*') return etag;
    const etags = new Set([etag, ...codings.map((coding) => etagIn(coding, etag))]);
    return ifNoneMatch.match(/"[^"]*"/g)?.find((tag) => etags.has(tag));
  }

  async #make(coding: Coding): Promise<Form> {
    const { headers, body } = this.#answer;
    const coded = await encode(body, coding);
    let form = this.identity;
    if (coded.length < body.length) {
      const etag = etagIn(coding, headers['etag']);
      const others = { ...headers, ...(etag !== undefined && { etag }), 'content-encoding': coding };
      form = formOf({ status: this.status, headers: others, body: coded });
      this.#bytes += coded.length;
    }
    this.#coded.set(coding, form);
    return form;
  }
}

function formOf({ status, headers, body }: RenderedAnswer): Form {
  const fields = Object.entries(headers);
  // Texts of errors have a language.
  const vary = status < 400 ? 'Accept, Accept-Encoding' : 'Accept, Accept-Encoding, Accept-Language';
  return {
    body,
    about: [
      ...fields.filter(([name]) => !describesBody.test(name)),
      ['vary', vary],
      ...('cache-control' in headers ? [] : ([['cache-control', 'no-cache']] as const)),
    ],
    ofBody: [...fields.filter(([name]) => describesBody.test(name)), ['content-length', String(body.length)]],
  };
}

/** `"abc"` is `"abc-gzip"` then. */
function etagIn(coding: Coding, etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `${etag.slice(0, -1)}-${coding}"`;
}
