import { findPython, pythonAdvice } from '../../../scripts/python-install.mjs';
import { type Proc, spawnProcess } from './processes.ts';

/** Starts a program in Python. Its lines are JSON, or text in `msg`. */
export function spawnPython(file: string, args: readonly string[] = []): Proc {
  const python = findPython();
  if (python === undefined) throw new Error(`Python or one of its modules is missing: ${pythonAdvice}`);
  return spawnProcess(file, {}, args, undefined, [python, '-B']);
}

/** Runs a program in Python to its end and returns its last line. Rejects when it fails. */
export async function runPython(file: string, args: readonly string[] = []): Promise<unknown> {
  const program = spawnPython(file, args);
  const { code, signal } = await program.exited;
  if (code === 0) return program.lines.at(-1);
  throw new Error(`${file} ended with ${code ?? signal}:\n${program.lines.map(({ msg }) => msg).join('\n')}`);
}
