import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { namespaceOf, processesIn, type Sandbox } from './sandbox.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const mocha = fileURLToPath(new URL('../node_modules/mocha/bin/mocha.js', import.meta.url));
/** Grace time for processes that outlive the mocha that started them. */
const graceMs = 10_000;

export interface Result {
  readonly passed: number;
  readonly failed: number;
  /** Failures that belong to no test, one line each: processes and files left behind, a mocha that ended early. */
  readonly problems: readonly string[];
}

/** One mocha and all the processes that its tests start. */
export interface Lane {
  readonly ended: Promise<Result>;
  /** Sends SIGKILL to all processes of the lane. */
  kill(): void;
}

export interface LaneOptions {
  readonly sandbox: Sandbox;
  /** TMPDIR of the lane: a new folder, removed at the end. A file that the tests leave in it is a problem. */
  readonly folder: string;
  /** Command-line arguments of mocha. */
  readonly options: readonly string[];
  /** Bound of one test. A lane without output for twice as long is killed. */
  readonly testMs: number;
  /** Whether output is printed one whole suite at a time, so that the output of lanes does not mix. */
  readonly buffered: boolean;
}

export function startLane({ sandbox, folder, options, testMs, buffered }: LaneOptions): Lane {
  chmodSync(folder, 0o755);
  const color = process.stdout.isTTY ? ['--color'] : [];
  const bound = ['--timeout', String(testMs)];
  const [program = '', ...args] = [
    ...sandbox.prefix,
    ...[process.execPath, mocha, ...color, ...bound, ...options],
  ];
  const child = spawn(program, args, {
    cwd: repository,
    env: {
      ...process.env,
      TMPDIR: folder,
      TEST_LANE: '1',
      TEST_SANDBOX: sandbox.readOnly ? 'read-only' : '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const processes = new LaneProcesses(child, sandbox);
  return {
    ended: watch(child, processes, { folder, silenceMs: 2 * testMs, buffered }),
    kill: () => processes.kill(),
  };
}

/** The processes of a lane: those in its mount namespace or, without a namespace, its process group. */
class LaneProcesses {
  readonly #child: ChildProcess;
  readonly #sandbox: Sandbox;
  #namespace: string | undefined;

  constructor(child: ChildProcess, sandbox: Sandbox) {
    this.#child = child;
    this.#sandbox = sandbox;
  }

  /** Notes the mount namespace. Call it while mocha runs: before, `unshare` may not have made the namespace yet. */
  noteNamespace(): void {
    if (this.#namespace === undefined && this.#sandbox.readOnly) {
      this.#namespace = namespaceOf(this.#child.pid ?? 0);
    }
  }

  /** Process ids and command lines; empty without a namespace. */
  all(): Map<number, string> {
    return this.#namespace === undefined ? new Map() : processesIn(this.#namespace);
  }

  kill(): void {
    for (const pid of [-(this.#child.pid ?? 0), ...this.all().keys()]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // The process has ended meanwhile.
      }
    }
  }
}

async function watch(
  child: ChildProcess,
  processes: LaneProcesses,
  { folder, silenceMs, buffered }: Pick<LaneOptions, 'folder' | 'buffered'> & { readonly silenceMs: number },
): Promise<Result> {
  const totals: { readonly passed: number; readonly failed: number }[] = [];
  const problems: string[] = [];
  let block: string[] = [];
  let running = 'its start';
  const print = (): void => {
    if (block.length > 0) console.log(block.join('\n'));
    block = [];
  };
  const silence = setTimeout(() => {
    problems.push(`Killed after ${silenceMs / 1000} s of silence, in: ${running}`);
    processes.kill();
  }, silenceMs);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on('line', (line) => {
    silence.refresh();
    const text = stripVTControlCharacters(line);
    const total = /^(\d+) passed, (\d+) failed$/.exec(text);
    if (total !== null) {
      totals.push({ passed: Number(total[1]), failed: Number(total[2]) });
    } else if (text.startsWith('running: ')) {
      processes.noteNamespace();
      running = text.slice('running: '.length);
    } else {
      if (/^ {2}\S/.test(text)) print();
      block.push(line);
      if (!buffered) print();
    }
  });
  const printed = once(lines, 'close');
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(silence);
  const giveUpAt = performance.now() + graceMs;
  while (processes.all().size > 0 && performance.now() < giveUpAt) await delay(50);
  for (const command of processes.all().values()) problems.push(`Left running: ${command}`);
  processes.kill();
  // Without a namespace, a process that was not found may hold the pipe open.
  await Promise.race([printed, delay(graceMs, undefined, { ref: false })]);
  lines.close();
  print();
  const left = readdirSync(folder);
  if (left.length > 0) problems.push(`Left in the temporary folder: ${left.join(', ')}`);
  rmSync(folder, { recursive: true, force: true });
  const { passed, failed } = totals.at(-1) ?? { passed: 0, failed: 0 };
  if (totals.length === 0) problems.push(`mocha ended early (${signal ?? `code ${code}`}) in: ${running}`);
  else if (code !== 0 && failed === 0) problems.push(`mocha ended with code ${code}`);
  return { passed, failed, problems };
}
