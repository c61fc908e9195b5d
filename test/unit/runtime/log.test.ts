import { spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createLogger, type LoggerOptions } from '../../../runtime/log.ts';

/** Returns the text that a logger writes while `say` uses it. */
function written(
  options: Partial<LoggerOptions>,
  say: (log: ReturnType<typeof createLogger>) => void,
): string {
  const destination = new PassThrough();
  say(createLogger({ name: 'mserv1', destination, ...options }));
  return String(destination.read() ?? '');
}

describe('the log', () => {
  it('has one JSON object per line, with level, ISO time, process, message and fields', () => {
    const text = written({ format: 'json' }, (log) => {
      log.info({ requestId: 'a\nb' }, 'one');
      log.error({ err: new TypeError('broken', { cause: new Error('why') }) }, 'two');
    });
    const [one, two, ...more] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(more).to.deep.equal([]);
    expect(one).to.include({
      level: 'info',
      name: 'mserv1',
      pid: process.pid,
      requestId: 'a\nb',
      msg: 'one',
    });
    expect(new Date(one.time).toISOString()).to.equal(one.time);
    expect(two.err.type).to.equal('TypeError');
    expect(two.err.stack).to.include('broken').and.include('why');
  });

  it('has one readable line per event in the format pretty', () => {
    const text = written({ format: 'pretty' }, (log) =>
      log.warn({ port: 5001, listener: 'grpc' }, 'listening'),
    );
    expect(text).to.match(/^\[.*\] WARN \(mserv1\): listening \{"port":5001,"listener":"grpc"\}\n$/);
  });

  it('leaves out events below its level', () => {
    expect(written({ format: 'json', level: 'warn' }, (log) => log.info('quiet'))).to.equal('');
  });

  const endings = {
    'an exception': 'throw new Error("why")',
    'process.exit': 'process.exit(3)',
    'the end of its work': '',
  };
  for (const [cause, ending] of Object.entries(endings)) {
    it(`has all lines in order when the process ends by ${cause}`, () => {
      const log = JSON.stringify(new URL('../../../runtime/log.ts', import.meta.url));
      const program = `import { createLogger } from ${log};
        const log = createLogger({ name: 'child', format: 'json' });
        for (let i = 0; i < 1000; i++) log.info({ i, padding: 'x'.repeat(200) }, 'line');
        setImmediate(() => { log.info({ i: 1000 }, 'line'); ${ending} });`;
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
      const lines = stdout.toString().trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line).i)).to.deep.equal(
        Array.from({ length: 1001 }, (_, i) => i),
      );
    });
  }
});
