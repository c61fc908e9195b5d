import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProgramOptions {
  readonly cwd?: string;
  /** Instead of this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const startMs = 20_000;

/** A child process that serves something until it is stopped. What it says is shown when it cannot be started. */
export class Program {
  readonly #child: ChildProcess;
  #said = '';

  constructor(command: string, args: readonly string[], { cwd, env }: ProgramOptions = {}) {
    this.#child = spawn(command, args, {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#said = (this.#said + chunk.toString()).slice(-4_000);
      });
    }
    this.#child.on('error', (error) => {
      this.#said += error.message;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when `ready` says so; rejects when the program ends or takes too long. */
  async until(ready: () => Promise<boolean>): Promise<this> {
    const end = performance.now() + startMs;
    while (!(await ready())) {
      if (this.#ended || performance.now() > end) {
        throw new Error(`${this.#child.spawnargs.join(' ')} does not answer:\n${this.#said}`);
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

/** Whether a URL answers 200. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
