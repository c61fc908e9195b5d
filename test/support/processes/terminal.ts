import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.ts';

/** Runs a command as a terminal does: in a shell, with its own process group. */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';

  constructor(command: string, env: Readonly<Record<string, string | undefined>>, cwd: string) {
    this.#child = spawn('bash', ['-c', command], {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#exited = once(this.#child, 'close');
  }

  get output(): string {
    return this.#output;
  }

  /** Resolves when the output contains the text; rejects when the command ends without it. */
  async printed(text: string): Promise<void> {
    await eventually(() => {
      if (this.#output.includes(text)) return true;
      if (this.#child.exitCode !== null)
        throw new Error(`The command ended without printing «${text}»:\n${this.#output}`);
      return false;
    });
  }

  /** Resolves with the whole output when the command has ended. */
  async end(): Promise<string> {
    await this.#exited;
    return this.#output;
  }

  /** Presses Ctrl-C: sends SIGINT to the process group. */
  async interrupt(): Promise<void> {
    this.#signal('SIGINT');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.interrupt();
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
  }
}
