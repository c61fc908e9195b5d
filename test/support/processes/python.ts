import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findPython, pythonAdvice } from '../../../scripts/python-install.mjs';
import { registerStarted } from '../runner/leftovers.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs a Python program to its end and returns the JSON that it prints. Rejects with its error output. */
export async function runPython(file: string, args: readonly string[] = []): Promise<unknown> {
  const python = findPython();
  if (python === undefined) throw new Error(`Python or one of its modules is missing: ${pythonAdvice}`);
  const running = promisify(execFile)(python, ['-B', file, ...args], { cwd: repository });
  const noteEnded = registerStarted(file, async () => running.child.kill('SIGKILL'));
  try {
    return JSON.parse((await running).stdout);
  } finally {
    noteEnded();
  }
}
