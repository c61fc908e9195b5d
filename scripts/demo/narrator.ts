import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';

/** Tells a story in a terminal: sentences, commands as a person would type them, and what these really print. */
export interface Narrator {
  /** A sentence, and time to read it. */
  say(text: string): Promise<void>;
  /** Runs a command in a shell and shows it with its output, which is given back. */
  type(command: string): Promise<string>;
  /** Shows a command that goes on while others are typed; `ended` shows its output once it is there. */
  begin(command: string): { ended(): Promise<string> };
  /** Runs a command, unseen, until it succeeds. Rejects after 20 s. */
  until(command: string): Promise<void>;
  /** Shows what was done, or was printed, in another terminal. */
  show(text: string): void;
}

export interface NarratorOptions {
  /** Time to read a sentence, milliseconds. */
  readonly pauseMs: number;
  /** Ends all that is under way. */
  readonly signal: AbortSignal;
}

export function createNarrator({ pauseMs, signal }: NarratorOptions): Narrator {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const prompt = (command: string): void => print(`\n${styleText('bold', `$ ${command}`)}`);

  /** What a shell prints, without the carriage returns of HTTP. Rejects when the command fails. */
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
      // Whoever waits for it hears of its failure; nobody may have come to that yet.
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
