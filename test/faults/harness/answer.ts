import { createHash } from 'node:crypto';

/** Parts of an answer that must be equal at every reading and over every route. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Hash of status, headers and body. */
  readonly digest: string;
}

const identifying = ['content-type', 'link', 'etag'];

export async function readAnswer(response: Response): Promise<Answer> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(identifying.map((name) => [name, response.headers.get(name) ?? '']));
  const hash = createHash('sha256').update(JSON.stringify([response.status, headers]));
  return { status: response.status, headers, body, digest: hash.update(body).digest('hex').slice(0, 24) };
}
