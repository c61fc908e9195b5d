// Reads the command lines of all processes and scripts. Plain JavaScript for Node 18 or newer, because
// scripts/launch.mjs and scripts/setup.mjs run before an install.

import { parseArgs } from 'node:util';

/** A command line that cannot be used; the message says why. */
export class UsageError extends Error {
  name = 'UsageError';
}

/**
 * @typedef {NonNullable<import('node:util').ParseArgsConfig['options']>} Options the options of `parseArgs`
 */

/**
 * Runs a command: `run` receives the values of its options and its arguments. `--help` prints the usage instead. A
 * wrong command line, or a `UsageError` of `run`, is printed with the usage, and the exit code is 1.
 *
 * @template {Options} const [Known={}]
 * @param {object} command
 * @param {string} command.usage what `--help` prints
 * @param {Known} [command.options]
 * @param {boolean} [command.takesArguments] whether it has arguments that are no options
 * @param {readonly string[]} [command.args] default: those of the process
 * @param {(
 *   values: ReturnType<typeof parseArgs<{ options: Known }>>['values'],
 *   positionals: readonly string[],
 * ) => unknown} run
 * @returns {Promise<void>}
 */
export async function runCommand({ usage, options, takesArguments = false, args }, run) {
  const known = { ...options, help: { type: 'boolean', short: 'h' } };
  try {
    const { values, positionals } = parse(args ?? process.argv.slice(2), known, takesArguments);
    if (values.help) process.stdout.write(usage);
    else await run(values, positionals);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exitCode = 1;
  }
}

function parse(args, options, allowPositionals) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageError(unknownOption(args, options));
    if (String(error.code).startsWith('ERR_PARSE_ARGS_')) throw new UsageError(error.message);
    throw error;
  }
}

/** Names the first unknown option, and the known one that was probably meant. */
function unknownOption(args, options) {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const unknown = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(options, token.name));
  const distances = Object.keys(options).map((name) => ({ name, edits: editDistance(unknown.name, name) }));
  const [nearest] = distances.sort((a, b) => a.edits - b.edits);
  const isNear = nearest !== undefined && nearest.edits <= Math.max(2, unknown.name.length / 3);
  return `Unknown option '${unknown.rawName}'.${isNear ? ` Did you mean '--${nearest.name}'?` : ''}`;
}

/** Returns the number of letters to insert, delete or replace that turn `a` into `b` (Levenshtein). */
function editDistance(a, b) {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column] + 1, current[column - 1] + 1));
    }
    previous = current;
  }
  return previous[b.length];
}
