import { execFileSync } from 'node:child_process';
import { mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../runtime/command-line.mjs';

const usage = `npm run generate [-- options]
  Generates proto/gen from proto: the messages' code, and descriptors.binpb, which describes all proto files to
  reflection.
  --check   only reports whether proto/gen is up to date
  --help
`;

const repository = fileURLToPath(new URL('..', import.meta.url));
const generated = join('proto', 'gen');

/** Generates `proto/gen` below `folder`. */
function generate(folder: string, ...options: string[]): void {
  // buf finds protoc-gen-ts_proto in the PATH.
  const bin = join(repository, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  const buf = (...args: string[]): void =>
    void execFileSync(join(bin, 'buf'), args, { cwd: repository, env, stdio: 'inherit' });
  buf('generate', ...options);
  const descriptors = join(folder, generated, 'descriptors.binpb');
  buf('build', '--as-file-descriptor-set', '--exclude-source-info', '--output', descriptors);
  for (const file of filesOf(join(folder, generated)).keys()) fixTimestamps(join(folder, generated, file));
}

/**
 * Corrects times before 1970 in generated code. ts-proto gives them negative nanos, which Timestamp forbids and other
 * languages reject: https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp
 */
function fixTimestamps(file: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes('function toTimestamp(')) return;
  const fixed = text
    .replace('Math.trunc(date.getTime() / 1_000)', 'Math.floor(date.getTime() / 1_000)')
    .replace('(date.getTime() % 1_000) * 1_000_000', '(date.getTime() - seconds * 1_000) * 1_000_000');
  if (fixed.split('\n').filter((line, index) => line !== text.split('\n')[index]).length !== 2) {
    throw new Error(`${file}: ts-proto's timestamp code has changed; see fixTimestamps`);
  }
  writeFileSync(file, fixed);
}

function filesOf(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [file.slice(folder.length + 1), readFileSync(file, 'latin1')]));
}

function staleFiles(): string[] {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'archivero-generate-'));
  generate(temporary.path, '--output', temporary.path);
  const wanted = filesOf(join(temporary.path, generated));
  const found = filesOf(join(repository, generated));
  const names = new Set([...wanted.keys(), ...found.keys()]);
  return [...names].filter((name) => wanted.get(name) !== found.get(name));
}

await runCommand({ usage, options: { check: { type: 'boolean' } } }, ({ check }) => {
  if (!check) {
    generate(repository);
    return;
  }
  const stale = staleFiles();
  if (stale.length === 0) return;
  console.error(`proto/gen is out of date. Run: npm run generate\n  ${stale.join('\n  ')}`);
  process.exitCode = 1;
});
