import { expect } from 'chai';
import { eventually } from '../processes/eventually.ts';
import type { SetUp } from '../processes/set-up.ts';

/** Parts of an answer that must be equal over every route. */
export interface Identity {
  readonly status: number;
  readonly contentType: string | null;
  readonly link: string | null;
  readonly etag: string | null;
  readonly body: string;
}

export async function identityOf(answer: Response): Promise<Identity> {
  const { status, headers } = answer;
  return {
    status,
    contentType: headers.get('content-type'),
    link: headers.get('link'),
    etag: headers.get('etag'),
    body: Buffer.from(await answer.arrayBuffer()).toString('latin1'),
  };
}

/** Sends a request that must be answered 202; returns the path of its answer. */
export async function accepted(it: SetUp, path: string, headers?: Record<string, string>): Promise<string> {
  const answer = await it.get(path, headers);
  expect(answer.status, `${path}: ${await answer.clone().text()}`).to.equal(202);
  const location = answer.headers.get('location');
  expect(location).to.match(/^(\/v1)?\/solicitudes\/[0-9a-f-]{36}$/);
  const body = (await answer.json()) as { enlaces: { estado: string; respuesta: string } };
  expect(body.enlaces.estado).to.equal(location);
  return body.enlaces.respuesta;
}

/** Waits for and returns the answer of an accepted request. */
export async function answerAt(it: SetUp, path: string): Promise<Response> {
  let answer = await it.get(path, { prefer: 'wait=5' });
  await eventually(async () => {
    if (answer.status !== 202) return true;
    answer = await it.get(path, { prefer: 'wait=5' });
    return answer.status !== 202;
  });
  return answer;
}
