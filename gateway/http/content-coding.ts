import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { parseWeighted } from './quality.ts';

/** A content coding (RFC 9110, section 8.4). */
export type ContentCoding = 'identity' | 'gzip' | 'br';

/** In order of preference at equal weights. */
const preferred = ['br', 'gzip', 'identity'] as const satisfies readonly ContentCoding[];

/** Codings by header value. Clients of one kind send the same value, so there are few. */
const codings = new Map<string, ContentCoding>();
const maxRemembered = 100;

/** Returns the client's preferred coding by its `Accept-Encoding` (RFC 9110, section 12.5.3); `identity` as a last resort. */
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
  const accepted = parseWeighted(acceptEncoding);
  const any = accepted.find(({ value }) => value === '*')?.q ?? 0;
  const weights = preferred.map((coding) => {
    const listed = accepted.find(({ value }) => value === coding || value === `x-${coding}`)?.q;
    // An unlisted coding is excluded, but identity stays acceptable below every listed one.
    return { coding, q: listed ?? (coding === 'identity' ? 0.0001 : any) };
  });
  return weights.reduce((best, each) => (each.q > best.q ? each : best)).coding;
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
