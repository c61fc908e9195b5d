import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { controls } from './controls.ts';
import { createFrameReader } from './harness/amqp-frames.ts';
import { runControl } from './harness/control.ts';
import { createMutant } from './harness/mutant.ts';
import { type RunOptions, runScenario, type ScenarioResult } from './harness/run-scenario.ts';
import { createSharedServers, type SharedServers } from './harness/servers.ts';
import { scenarios } from './scenarios/all.ts';

// A few of the scenarios of `npm run faults`, so that `npm test` notices a broken harness or promise.

/** Leaves out slow recoveries, which only `npm run faults` checks, on an idle machine. */
const untimed = ({ violations }: ScenarioResult) => violations.filter(({ kind }) => kind !== 'slow recovery');

describe('Fault scenarios', () => {
  let servers: SharedServers;
  let options: RunOptions;
  before(() => {
    servers = createSharedServers();
    const folder = mkdtempSync(join(tmpdir(), 'archivero-faults-'));
    options = { servers, seed: 7, folder, patienceMs: 180_000 };
  });
  after(async () => {
    await servers[Symbol.asyncDispose]();
    rmSync(options.folder, { recursive: true });
  });

  for (const name of ['gateway-killed-after-commit', 'service-killed-after-work']) {
    const scenario = scenarios.find((one) => one.name === name);
    it(`lose no accepted request: ${scenario?.about ?? name}`, async function () {
      if (scenario === undefined) throw new Error(`Unknown scenario ${name}`);
      const missing = scenario.missing?.();
      if (missing !== undefined) {
        console.log(`      skipped: ${missing}`);
        return this.skip();
      }
      const result = await runScenario(scenario, options);
      expect(untimed(result)).to.deep.equal([]);
      const { figures } = result;
      expect(figures?.lost).to.equal(0);
      expect(figures?.accepted).to.be.above(50);
    });
  }

  it('report a stored answer that is rendered differently from the direct one', async () => {
    const control = controls.find(({ name }) => name === 'rendered-otherwise');
    if (control === undefined) throw new Error('Unknown control');
    const { baseline, mutant } = await runControl(control, options);
    expect(untimed(baseline)).to.deep.equal([]);
    expect(mutant.violations.map(({ kind }) => kind)).to.include('identity');
  });
});

describe('The fault harness', () => {
  it('has controls whose defects still fit the source', () => {
    for (const { common = [], defect } of controls) {
      using mutant = createMutant([...common, ...defect]);
      for (const { file, replace } of defect) {
        expect(readFileSync(mutant.join(file), 'utf8')).to.contain(replace);
      }
    }
  });

  it('refuses a defect whose text is not in the source', () => {
    const patch = { file: 'gateway/main.ts', find: 'this is not in the file', replace: '' };
    expect(() => createMutant([patch])).to.throw(
      'gateway/main.ts contains 0 times instead of once: this is not in the file',
    );
  });

  it('parses AMQP frames however the stream is split into chunks', () => {
    const frame = (type: number, channel: number, payload: Buffer): Buffer => {
      const head = Buffer.alloc(7);
      head.writeUInt8(type, 0);
      head.writeUInt16BE(channel, 1);
      head.writeUInt32BE(payload.length, 3);
      return Buffer.concat([head, payload, Buffer.of(0xce)]);
    };
    const publish = frame(1, 3, Buffer.of(0, 60, 0, 40, 9, 9));
    const header = frame(2, 3, Buffer.alloc(20, 7));
    const body = frame(3, 3, Buffer.from('contenido'));
    const heartbeat = frame(8, 0, Buffer.alloc(0));
    const all = [Buffer.from('AMQP\0\0\x09\x01', 'latin1'), publish, heartbeat, header, body];
    const stream = Buffer.concat(all);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), stream.length];
        const read = createFrameReader();
        const frames = ends.flatMap((end, n) => read(stream.subarray(ends[n - 1] ?? 0, end)));
        expect(frames.map(({ bytes }) => bytes)).to.deep.equal(all);
        expect(frames.map(({ method }) => method)).to.deep.equal([
          undefined,
          'basic.publish',
          undefined,
          undefined,
          undefined,
        ]);
        expect(frames.map(({ belongsTo }) => belongsTo).slice(3)).to.deep.equal([
          'basic.publish',
          'basic.publish',
        ]);
      }),
    );
  });
});

describe('docs/reliability.md', () => {
  it('lists every scenario and every control', () => {
    const page = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
    for (const { name } of [...scenarios, ...controls]) expect(page).to.contain(`\`${name}\``);
  });
});
