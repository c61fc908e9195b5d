import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { parseWeighted } from './quality.ts';

/** How an answer's bytes are coded on their way (RFC 9110, section 8.4). */
export type ContentCoding = 'identity' | 'gzip' | 'br';

/** Of those that a client likes equally, the first. */
const preferred = ['br', 'gzip', 'identity'] as const satisfies readonly ContentCoding[];

/** Clients of one kind write the same header, and mostly no other. */
const read = new Map<string, ContentCoding>();
const mostRead = 100;

/** The coding that a client wants most, by its `Accept-Encoding` (RFC 9110, section 12.5.3); `identity` when nothing fits. */
export function codingFor(acceptEncoding: string | undefined): ContentCoding {
  if (acceptEncoding === undefined) return 'identity';
  const known = read.get(acceptEncoding);
  if (known !== undefined) return known;
  const coding = choose(acceptEncoding);
  if (read.size >= mostRead) read.clear();
  if (acceptEncoding.length <= 200) read.set(acceptEncoding, coding);
  return coding;
}

function choose(acceptEncoding: string): ContentCoding {
  const accepted = parseWeighted(acceptEncoding);
  const any = accepted.find(({ value }) => value === '*')?.q ?? 0;
  const weights = preferred.map((coding) => {
    const named = accepted.find(({ value }) => value === coding || value === `x-${coding}`)?.q;
    // What is not named is not wanted, except that the answer as it is always is, though less than what is named.
    return { coding, q: named ?? (coding === 'identity' ? 0.0001 : any) };
  });
  return weights.reduce((best, each) => (each.q > best.q ? each : best)).coding;
}

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);
/** zlib's own default would take thirty times as long, for a tenth less. */
const quality = { [constants.BROTLI_PARAM_QUALITY]: 5 };

/** In the thread pool. */
export function encode(body: Buffer, coding: Exclude<ContentCoding, 'identity'>): Promise<Buffer> {
  if (coding === 'gzip') return compressGzip(body);
  return compressBrotli(body, {
    params: { ...quality, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
}
