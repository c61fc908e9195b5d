import type { StoredAnswer } from '../solicitudes/ledger.ts';
import { type ContentCoding, encode } from './content-coding.ts';

/** An answer in one content coding. */
export interface Form {
  readonly body: Buffer;
  /** Lower-case names, `etag` and `content-encoding` among them. */
  readonly headers: Readonly<Record<string, string>>;
}

type Coding = Exclude<ContentCoding, 'identity'>;
const codings: readonly Coding[] = ['gzip', 'br'];

/** Smaller bodies fit into one packet as they are. */
const worthwhileBytes = 1_000;

/** An answer in all of its content codings, each made when it is first asked for, and each with a strong ETag of its own. */
export class Forms {
  readonly status: number;
  readonly identity: Form;
  readonly #coded = new Map<ContentCoding, Form | Promise<Form>>();
  readonly #etag: string | undefined;
  #bytes: number;

  constructor({ status, headers, body }: StoredAnswer) {
    this.status = status;
    this.identity = { body, headers };
    this.#etag = headers['etag'];
    this.#bytes = body.length;
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
    const etag = this.#etag;
    if (etag === undefined || ifNoneMatch.trim() === '*') return etag;
    const tags = ifNoneMatch.match(/"[^"]*"/g) ?? [];
    return tags.find((tag) => tag === etag || codings.some((coding) => tag === etagIn(coding, etag)));
  }

  async #make(coding: Coding): Promise<Form> {
    const { body, headers } = this.identity;
    const coded = await encode(body, coding);
    const form =
      coded.length < body.length ? { body: coded, headers: headersIn(coding, headers) } : this.identity;
    if (form !== this.identity) this.#bytes += coded.length;
    this.#coded.set(coding, form);
    return form;
  }
}

function headersIn(coding: Coding, headers: Form['headers']): Form['headers'] {
  const { etag } = headers;
  const tagged = etag === undefined ? headers : { ...headers, etag: etagIn(coding, etag) };
  return { ...tagged, 'content-encoding': coding };
}

/** `"abc"` is `"abc-gzip"` then. */
function etagIn(coding: Coding, etag: string): string {
  return `${etag.slice(0, -1)}-${coding}"`;
}
