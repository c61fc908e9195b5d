// `npm test` runs all tests in several mochas at once, because most tests wait for real processes. With arguments it runs one
// mocha: npm test -- test/unit/http/*.test.ts --grep etag. `npm run test:unit` runs the tests that need no broker, database
// or browser.
import { chmodSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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

const unit = ['test/architecture.test.ts', 'test/unit/**/*.test.ts'];
/** Test files per mocha: few, so that the lanes end at about the same time; several, because they share a RabbitMQ. */
const batchSize = 4;

const options = process.argv.slice(2);
const isOneMocha = options.length > 0 && options[0] !== '--unit';
const jobs = isOneMocha ? [options] : batches(options[0] === '--unit' ? unit : ['test/**/*.test.ts']);
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

/** Sorts files by name, so that slow tests (faults, integration) begin first and quick unit tests fill the end. */
function batches(patterns: readonly string[]): string[][] {
  const files = globSync(patterns, { cwd: repository }).sort();
  return Array.from({ length: Math.ceil(files.length / batchSize) }, (_, batch) =>
    files.slice(batch * batchSize, (batch + 1) * batchSize),
  );
}
