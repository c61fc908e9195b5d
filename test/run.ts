// `npm test` runs all tests in several mochas at once, because most tests wait for real processes. With arguments it runs one
// mocha: npm test -- test/unit/http/*.test.ts --grep etag. `npm run test:unit` runs the tests that need no broker, database
// or browser.
import { spawnSync } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Lane, type Result, startLane } from './lane.ts';
import { openSandbox } from './sandbox.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const cache = join(repository, 'node_modules', '.cache');
const coverage = process.env['NODE_V8_COVERAGE'];

const folder = mkdtempSync(join(tmpdir(), 'archivero-tests-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
// PostgreSQL runs as another user, which must be able to enter this folder.
chmodSync(folder, 0o755);
mkdirSync(cache, { recursive: true });
const sandbox = openSandbox([folder, cache, ...(coverage ? [coverage] : [])]);
console.log(`sandbox: ${sandbox.description}`);

const startMs = nodeStartMs();
// 300 s, for a machine on which Node starts in 50 ms to 200 ms; longer on a slower or busier one.
const testMs = 300_000 * Math.min(4, Math.max(1, startMs / 200));
console.log(
  `speed: Node starts in ${Math.round(startMs)} ms; a test may take ${Math.round(testMs / 1000)} s`,
);

const unit = ['test/architecture.test.ts', 'test/unit/**/*.test.ts'];
const all = ['test/**/*.test.ts'];

const options = process.argv.slice(2);
const onlyUnit = options[0] === '--unit';
const isOneMocha = options.length > 0 && !onlyUnit;
const jobs = isOneMocha
  ? [options]
  : // Tests of processes are slow: few files to a mocha, so that the lanes end together. Unit tests fill the end.
    [...(onlyUnit ? [] : batches(all, unit, 4)), ...batches(unit, [], 16)];
const results: Result[] = [];
const running = new Set<Lane>();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    jobs.length = 0;
    process.exitCode = 1;
    console.log(`${signal}: ending the tests`);
    for (const lane of running) lane.kill();
  });
}

async function runJobs(): Promise<void> {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    const lane = startLane({
      sandbox,
      folder: mkdtempSync(join(folder, 'lane-')),
      options: job,
      testMs,
      buffered: !isOneMocha,
    });
    running.add(lane);
    const { problems, ...totals } = await lane.ended;
    results.push({ ...totals, problems: problems.map((problem) => `${problem} (in ${job.join(' ')})`) });
    running.delete(lane);
  }
}

await Promise.all(Array.from({ length: availableParallelism() + 1 }, runJobs));
const problems = results.flatMap((result) => result.problems);
for (const problem of problems) console.log(problem);
const sum = (count: 'passed' | 'failed'): number =>
  results.reduce((total, result) => total + result[count], 0);
console.log(`${sum('passed')} passed, ${sum('failed') + problems.length} failed`);
if (sum('failed') + problems.length > 0) process.exitCode = 1;

/** Returns the median of five starts. */
function nodeStartMs(): number {
  const times = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    spawnSync(process.execPath, ['--eval', '0']);
    return performance.now() - startedAt;
  });
  return times.sort((a, b) => a - b)[2] ?? 0;
}

/** Cuts the files into the batches of one mocha each: by name, and those that share a RabbitMQ together. */
function batches(patterns: readonly string[], exclude: readonly string[], size: number): string[][] {
  const sorted = globSync(patterns, { cwd: repository, exclude }).sort();
  const sharing = sorted.filter((file) =>
    /\bsharedRabbit\b/.test(readFileSync(join(repository, file), 'utf8')),
  );
  const files = [...sharing, ...sorted.filter((file) => !sharing.includes(file))];
  return Array.from({ length: Math.ceil(files.length / size) }, (_, batch) =>
    files.slice(batch * size, (batch + 1) * size),
  );
}
