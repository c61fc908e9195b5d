import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProgramOptions {
  readonly cwd?: string;
  /** Environment, instead of this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

const startMs = 20_000;

/** A server as a child process. Its output is shown when it does not start. */
export class Program {
  readonly #child: ChildProcess;
  #output = '';

  constructor(command: string, args: readonly string[], { cwd, env }: ProgramOptions = {}) {
    this.#child = spawn(command, args, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-4_000);
      });
    }
    this.#child.on('error', (error) => {
      this.#output += error.message;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when `ready` does with true; rejects when the program ends, or after 20 s. */
  async until(ready: () => Promise<boolean>): Promise<this> {
    const end = performance.now() + startMs;
    while (!(await ready())) {
      if (this.#ended || performance.now() > end) {
        throw new Error(`${this.#child.spawnargs.join(' ')} does not answer:\n${this.#output}`);
      }
      await delay(10);
    }
    return this;
  }

  async stop(): Promise<void> {
    if (this.#ended || this.#child.pid === undefined) return;
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 8_000);
    await ended;
    clearTimeout(kill);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Returns whether a URL is answered 200. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
