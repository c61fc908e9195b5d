import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { spawnProcess } from '../support/processes/processes.ts';
import { ownVhost, type SetUp, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';
import { clockEnv } from './scenarios/clock.ts';

const hour = 3600;
const year = 365 * 24 * hour;
const queued = { prefer: 'respond-async' };

interface Salud {
  readonly servicios: {
    readonly mserv1: { readonly direcciones: readonly { readonly desfase_reloj_ms: number | null }[] };
  };
}

describe('A clock that is wrong', () => {
  let folder: TemporaryFolder;
  let env: Readonly<Record<string, string>>;

  before(function () {
    if (!existsSync(String(clockEnv['LD_PRELOAD']))) this.skip();
  });

  beforeEach(async () => {
    folder = new TemporaryFolder();
    env = { RABBITMQ_URL: (await ownVhost(await sharedRabbit())).url };
  });
  afterEach(() => folder[Symbol.dispose]());

  /** Returns the environment of a process that has its own clock, and the function that sets it, in seconds. */
  function ownClock(offset: number) {
    const file = folder.join('clock');
    const set = (seconds: number): void => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    set(offset);
    return { set, env: { ...clockEnv, FAKETIME_TIMESTAMP_FILE: file } };
  }

  /** Fills a folder; returns the path that lists it. */
  function listing(it: SetUp, name: string): string {
    mkdirSync(join(it.root, name));
    writeFileSync(join(it.root, name, 'a.txt'), '');
    return `/listar_archivos?ruta=${name}`;
  }

  it('of a service, two days ahead, does not end a request, and is told by /salud and doctor', async () => {
    await using it = await setUp({ env, running: ['gateway'] });
    const path = listing(it, 'a');
    const answerPath = await accepted(it, path, queued);
    const clock = ownClock(48 * hour);
    const mserv1 = await it.start('mserv1', clock.env);
    const answer = await identityOf(await answerAt(it, answerPath));
    expect(answer.status).to.equal(200);

    const shown = async (): Promise<number | null | undefined> => {
      const { servicios } = (await (await it.get('/salud')).json()) as Salud;
      return servicios.mserv1.direcciones[0]?.desfase_reloj_ms;
    };
    await eventually(async () => typeof (await shown()) === 'number');
    expect(await shown()).to.be.closeTo(48 * hour * 1000, 60_000);

    const doctor = spawnProcess('scripts/doctor.ts', {
      ...env,
      FILES_ROOT: it.root,
      MSERV1_URL: `127.0.0.1:${mserv1.port}`,
      LEDGER_URL: `sqlite:${folder.join('otro.db')}`,
    });
    await doctor.exited;
    const said = doctor.lines.map(({ msg }) => msg).join('\n');
    expect(said).to.match(/✘ mserv1: its clock and this machine's differ by 1728\d{5} ms/);
  });

  for (const [name, seconds] of [
    ['an hour', hour],
    ['a year', year],
  ] as const) {
    it(`of the gateway that jumps ahead by ${name} and back loses no accepted request`, async () => {
      const clock = ownClock(0);
      await using it = await setUp({ env, running: [] });
      await it.start('gateway', clock.env);
      const path = listing(it, 'a');
      const before = await accepted(it, path, queued);
      clock.set(seconds);
      const during = await accepted(it, path, queued);
      await it.processes.get('gateway')?.waitFor(({ msg = '' }) => msg.startsWith('the clock jumped ahead'));
      clock.set(0);
      const after = await accepted(it, path, queued);
      await it.start('mserv1');
      for (const answerPath of [before, during, after]) {
        expect((await answerAt(it, answerPath)).status, answerPath).to.equal(200);
      }
    });
  }
});
