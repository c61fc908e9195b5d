// `npm test`: all tests, in several mochas at once, because most of them wait for real processes. With arguments it is mocha:
// npm test -- test/unit/http/*.test.ts --grep etag
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const repository = fileURLToPath(new URL('..', import.meta.url));
const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));

interface Totals {
  passed: number;
  failed: number;
  exitCode: number;
}

/** One mocha over these files; what it prints comes out a whole suite at a time, so that lanes do not mix. */
async function runLane(files: readonly string[]): Promise<Totals> {
  const child = spawn(process.execPath, [mocha, ...(process.stdout.isTTY ? ['--color'] : []), ...files], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', forward);
  let block: string[] = [];
  const print = () => {
    if (block.length > 0) console.log(block.join('\n'));
    block = [];
  };
  const totals = { passed: 0, failed: 0 };
  for await (const line of createInterface({ input: child.stdout })) {
    const text = stripVTControlCharacters(line);
    const total = /^(\d+) passed, (\d+) failed$/.exec(text);
    if (total !== null) {
      totals.passed += Number(total[1]);
      totals.failed += Number(total[2]);
    } else {
      if (/^ {2}\S/.test(text)) print();
      block.push(line);
    }
  }
  print();
  process.off('SIGTERM', forward);
  return { ...totals, exitCode: await ended };
}

const options = process.argv.slice(2);
if (options.length > 0) {
  const child = spawn(process.execPath, [mocha, ...options], { cwd: repository, stdio: 'inherit' });
  child.on('close', (code) => {
    process.exitCode = code ?? 1;
  });
} else {
  const files = globSync('test/**/*.test.ts', { cwd: repository }).sort();
  const lanes = Array.from({ length: availableParallelism() + 1 }, (_, lane) =>
    files.filter((_, index) => index % (availableParallelism() + 1) === lane),
  ).filter((lane) => lane.length > 0);
  const results = await Promise.all(lanes.map(runLane));
  const sum = (of: keyof Totals) => results.reduce((total, result) => total + result[of], 0);
  // A mocha that broke off has no totals: its exit code says it.
  process.exitCode = results.some(({ exitCode }) => exitCode !== 0) ? 1 : 0;
  if (process.exitCode !== 0 && sum('failed') === 0) console.log('A mocha ended before its tests did.');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
}
