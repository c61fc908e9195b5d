import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';
import { type Rabbit, startRabbit } from '../support/servers/rabbitmq.ts';

const queued = { prefer: 'respond-async' };
const name = (): string => randomBytes(150).toString('base64url');

/** Makes a folder with files whose paths are long; `shared`: all files are in one folder. */
function longPaths(root: string, folder: string, files: number, shared: boolean): string {
  const deep = () => Array.from({ length: 6 }, name).join('/');
  const same = deep();
  for (let n = 0; n < files; n += 1) {
    const parent = join(root, folder, shared ? same : deep());
    mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, name()), '');
  }
  return `/listar_archivos?ruta=${folder}&recursivo=true&limite=10000`;
}

describe('An answer that is larger than the broker takes', () => {
  let rabbit: Rabbit;
  let it_: SetUp;
  /** Larger than a message may be; when compressed, smaller. */
  let compressible: string;
  /** Larger even when compressed. */
  let incompressible: string;

  before(async () => {
    rabbit = await startRabbit({ config: ['max_message_size = 131072'] });
    it_ = await setUp({ env: { RABBITMQ_URL: rabbit.url }, running: ['gateway'] });
    compressible = longPaths(it_.root, 'junta', 200, true);
    incompressible = longPaths(it_.root, 'dispersa', 200, false);
    mkdirSync(join(it_.root, 'pequeña'));
  });

  after(async () => {
    await it_[Symbol.asyncDispose]();
    await rabbit.stop();
  });

  /** Accepts large and small requests while mserv1 is down, then starts it; returns their answers by path. */
  async function answersOf(env: Readonly<Record<string, string>>) {
    const small = Array.from({ length: 20 }, () => '/listar_archivos?ruta=peque%C3%B1a');
    const paths = [...small.slice(0, 10), compressible, incompressible, ...small.slice(10)];
    const answerPaths: string[] = [];
    for (const path of paths) answerPaths.push(await accepted(it_, path, queued));
    const mserv1 = await it_.start('mserv1', env);
    const answers = await Promise.all(answerPaths.map(async (path) => identityOf(await answerAt(it_, path))));
    const lost = mserv1.lines.filter(({ msg }) => msg?.startsWith('no connection to RabbitMQ'));
    expect(lost).to.deep.equal([]);
    expect(answers.filter(({ status }) => status === 200).length).to.be.greaterThan(20);
    return {
      compressible: answers[10] ?? expect.fail(),
      incompressible: answers[11] ?? expect.fail(),
    };
  }

  it('is the answer of a direct call: compressed in the queue, or else by such a call', async () => {
    const answers = await answersOf({});
    for (const [path, answer] of [
      [compressible, answers.compressible],
      [incompressible, answers.incompressible],
    ] as const) {
      const direct = await identityOf(await it_.get(path));
      expect(direct.body.length).to.be.greaterThan(131_072);
      expect(answer).to.deep.equal(direct);
    }
    await it_.end('mserv1');
  });

  it('ends as respuesta-demasiado-grande when it is too large compressed, and gRPC is off', async () => {
    const { incompressible: answer, compressible: other } = await answersOf({ MSERV1_GRPC: 'off' });
    expect(other.status).to.equal(200);
    expect(answer.status).to.equal(500);
    const problem = JSON.parse(answer.body) as { type: string; errores: { parametro: string }[] };
    expect(problem.type).to.equal('/problemas/respuesta-demasiado-grande');
    expect(problem.errores[0]?.parametro).to.equal('limite');
  });
});
