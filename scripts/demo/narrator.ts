import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';

/** Tells a story in a terminal: sentences, commands as a person would type them, and their real output. */
export interface Narrator {
  /** Prints a sentence and pauses for reading. */
  say(text: string): Promise<void>;
  /** Runs a shell command, prints it with its output, and returns the output. */
  type(command: string): Promise<string>;
  /** Prints a command that keeps running meanwhile; `ended` prints its output when it is done. */
  begin(command: string): { ended(): Promise<string> };
  /** Runs a command repeatedly without printing it, until it succeeds. Rejects after 20 s. */
  until(command: string): Promise<void>;
  /** Prints a command or an output of another terminal. */
  show(text: string): void;
}

export interface NarratorOptions {
  /** Pause after each sentence, in milliseconds. */
  readonly pauseMs: number;
  /** Stops pauses and commands. */
  readonly signal: AbortSignal;
}

export function createNarrator({ pauseMs, signal }: NarratorOptions): Narrator {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const prompt = (command: string): void => print(`\n${styleText('bold', `$ ${command}`)}`);

  /** Returns a shell command's output without HTTP's carriage returns. Rejects when the command fails. */
  function run(command: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'], signal });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output.replaceAll('\r', '').trimEnd());
      else reject(new Error(`${command}\nended with ${code}: ${output}`));
    });
    return promise;
  }

  return {
    async say(text) {
      print(`\n${styleText('cyan', text)}`);
      await delay(pauseMs, undefined, { signal });
    },
    async type(command) {
      prompt(command);
      const output = await run(command);
      if (output !== '') print(output);
      return output;
    },
    async until(command) {
      await run(`for turn in $(seq 100); do ${command} && exit 0; sleep 0.2; done; exit 1`);
    },
    begin(command) {
      prompt(command);
      const running = run(command);
      // `ended` reports a failure, but may not have been called yet.
      running.catch(() => undefined);
      return {
        async ended() {
          const output = await running;
          print(output);
          return output;
        },
      };
    },
    show: print,
  };
}
