import { expect } from 'chai';
import { type Exit, type Proc, spawnProcess, startProcess } from '../../support/processes/processes.ts';

const entry = 'test/support/processes/lifecycle-child.ts';
const start = (misbehaviour = '', more = {}) => startProcess(entry, { LIFECYCLE: misbehaviour, ...more });
const spawn = (misbehaviour: string) => spawnProcess(entry, { LIFECYCLE: misbehaviour });

function partsThat(proc: Proc, msg: string): unknown[] {
  return proc.lines.filter((line) => line.msg === msg).map((line) => line['part']);
}

function messages(proc: Proc): string {
  return proc.lines.map(({ msg }) => msg).join('\n');
}

describe('A process', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`stops its parts in reverse order on ${signal}, and ends with code 0`, async () => {
      const proc = await start();
      expect(partsThat(proc, 'started')).to.deep.equal(['first', 'second']);
      expect(await proc.kill(signal)).to.deep.equal({ code: 0, signal: null } satisfies Exit);
      expect(partsThat(proc, 'part stopped')).to.deep.equal(['second', 'first']);
    });
  }

  it('stops the parts already started when another part does not start', async () => {
    const proc = spawn('start-fails');
    expect(await proc.exited).to.deep.equal({ code: 1, signal: null });
    expect(partsThat(proc, 'part stopped')).to.deep.equal(['first']);
    const [line, ...more] = proc.lines.filter(({ level }) => level === 'fatal');
    expect(line?.msg).to.equal('second did not start: no place');
    expect(more).to.deep.equal([]);
    expect(messages(proc)).not.to.match(/^ready$/m);
  });

  it('stops after its start, and is never ready, when SIGTERM comes during the start', async () => {
    const proc = spawn('start-waits');
    await proc.waitFor((line) => line.msg === 'started' && line['part'] === 'second');
    const exit = proc.kill('SIGTERM');
    await proc.waitFor((line) => line.msg === 'stopping');
    await proc.kill('SIGUSR2');
    expect(await exit).to.deep.equal({ code: 0, signal: null });
    expect(partsThat(proc, 'part stopped')).to.deep.equal(['second', 'first']);
    expect(messages(proc)).not.to.match(/^ready$/m);
  });

  it('stops the other parts when one does not stop cleanly, and ends with code 1', async () => {
    const proc = await start('stop-fails');
    expect(await proc.kill('SIGTERM')).to.deep.equal({ code: 1, signal: null });
    expect(partsThat(proc, 'part stopped')).to.deep.equal(['second', 'first']);
  });

  it('ends with code 1 when a part does not stop in time', async () => {
    const proc = await start('stop-hangs');
    expect(await proc.kill('SIGTERM')).to.deep.equal({ code: 1, signal: null });
    expect(messages(proc)).to.include('did not stop in time');
  });

  it('ignores the echo of a signal, and ends at once on a second signal', async () => {
    const proc = await start('stop-hangs', { PATIENT: '1' });
    const exit = proc.kill('SIGINT');
    void proc.kill('SIGINT');
    await proc.waitFor((line) => line.msg === 'part stopped');
    const repeating = setInterval(() => void proc.kill('SIGINT'), 100);
    try {
      expect(await exit).to.deep.equal({ code: 130, signal: null });
    } finally {
      clearInterval(repeating);
    }
  });

  it('is ended, and names the leaked handle, when a handle keeps it alive', async () => {
    const proc = await start('leaks');
    const failure = await proc.stop().then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure?.message).to.include('held by an open handle').and.include('Timeout');
    expect((await proc.exited).code).to.equal(0);
  });

  for (const [misbehaviour, text] of [
    ['throws', 'a bug'],
    ['rejects', 'a forgotten bug'],
  ] as const) {
    it(`ends at once with code 1 when a part ${misbehaviour}`, async () => {
      const proc = await start(misbehaviour);
      expect(await proc.kill('SIGUSR2')).to.deep.equal({ code: 1, signal: null });
      expect(proc.lines.at(-1)).to.include({ level: 'fatal', msg: 'unexpected error' });
      expect(proc.lines.at(-1)?.['err']).to.include({ message: text });
    });
  }

  it('stops with code 1 when a part cannot go on', async () => {
    const proc = await start('cannot-go-on');
    expect(await proc.kill('SIGUSR2')).to.deep.equal({ code: 1, signal: null });
    expect(partsThat(proc, 'part stopped')).to.deep.equal(['second', 'first']);
  });
});
