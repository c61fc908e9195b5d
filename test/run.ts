// `npm test`: all tests, in several mochas at once, because most of them wait for real processes. With arguments it is one
// mocha: npm test -- test/unit/http/*.test.ts --grep etag
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
// PostgreSQL runs as another user, who must get through.
chmodSync(folder, 0o755);
mkdirSync(cache, { recursive: true });
const sandbox = openSandbox([folder, cache, ...(coverage ? [coverage] : [])]);
console.log(`sandbox: ${sandbox.description}`);

const options = process.argv.slice(2);
const jobs =
  options.length > 0 ? [options] : batches(globSync('test/**/*.test.ts', { cwd: repository }).sort());
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
      buffered: options.length === 0,
    });
    running.add(lane);
    results.push(await lane.ended);
    running.delete(lane);
  }
}

await Promise.all(Array.from({ length: availableParallelism() + 1 }, runJobs));
rmSync(folder, { recursive: true, force: true });
const problems = results.flatMap((result) => result.problems);
for (const problem of problems) console.log(problem);
const sum = (of: 'passed' | 'failed'): number => results.reduce((total, result) => total + result[of], 0);
console.log(`${sum('passed')} passed, ${sum('failed') + problems.length} failed`);
if (sum('failed') + problems.length > 0) process.exitCode = 1;

function batches(files: readonly string[]): string[][] {
  const count = availableParallelism() + 1;
  return Array.from({ length: count }, (_, lane) =>
    files.filter((_, index) => index % count === lane),
  ).filter((lane) => lane.length > 0);
}
