import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from './eventually.ts';

/** A command as a person runs it in a terminal of its own: with a shell, in its own process group. */
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

  /** Resolves when it has printed this; rejects when it ends without. */
  async printed(text: string): Promise<void> {
    await eventually(() => {
      if (this.#output.includes(text)) return true;
      if (this.#child.exitCode !== null) throw new Error(`It ended without «${text}»:\n${this.#output}`);
      return false;
    });
  }

  /** Resolves with all it printed, when it has ended. */
  async end(): Promise<string> {
    await this.#exited;
    return this.#output;
  }

  /** Ctrl-C: SIGINT to all that runs in it. */
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
