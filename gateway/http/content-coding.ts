import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { accepted } from './accepted.ts';

/** A content coding (RFC 9110, section 8.4). */
export type ContentCoding = 'identity' | 'gzip' | 'br';

/** In order of preference at equal weights. */
const available = ['br', 'gzip', 'identity'] as const satisfies readonly ContentCoding[];

/** Codings by header value. Clients of one kind send the same value, so there are few. */
const codings = new Map<string, ContentCoding>();
const maxRemembered = 100;

/**
 * Returns the client's preferred coding by its `Accept-Encoding` (RFC 9110, section 12.5.3). `identity` is the last resort,
 * also when it is refused: the RFC prefers an answer without coding to none.
 */
export function codingFor(acceptEncoding: string | undefined): ContentCoding {
  if (acceptEncoding === undefined) return 'identity';
  const known = codings.get(acceptEncoding);
  if (known !== undefined) return known;
  const coding = choose(acceptEncoding);
  if (codings.size >= maxRemembered) codings.clear();
  if (acceptEncoding.length <= 200) codings.set(acceptEncoding, coding);
  return coding;
}

function choose(acceptEncoding: string): ContentCoding {
  // RFC 9110, section 8.4.1.3: x-gzip is gzip.
  const header = acceptEncoding.replace(/\bx-gzip\b/gi, 'gzip');
  const coding = accepted('accept-encoding', header).encoding(available, { preferred: available });
  return available.find((each) => each === coding) ?? 'identity';
}

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);
/** zlib's default would take thirty times as long and save another tenth. */
const quality = { [constants.BROTLI_PARAM_QUALITY]: 5 };

/** Compresses in the thread pool. */
export function encode(body: Buffer, coding: Exclude<ContentCoding, 'identity'>): Promise<Buffer> {
  if (coding === 'gzip') return compressGzip(body);
  return compressBrotli(body, {
    params: { ...quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
}
