import { runCommand, UsageError } from '../runtime/command-line.mjs';
import { tellCatastrophe } from './demo/catastrophe.ts';
import { createNarrator } from './demo/narrator.ts';
import { openStage, type Stage } from './demo/stage.ts';
import { tellStory } from './demo/story.ts';
import { rabbitAdvice } from './rabbit-install.mjs';

const usage = `npm run demo [-- catastrofe] [options]
  Plays the story with its own processes, ports and RabbitMQ.
  catastrofe    accepts 500 requests, kills everything, deletes the broker's data, and loses none
  --quick       no pauses for reading
  --no-broker   run as if RabbitMQ were not installed
  --help
`;

const sameSignalMs = 500;

async function demo(
  catastrophe: boolean,
  options: { quick?: boolean; 'no-broker'?: boolean },
): Promise<void> {
  const interrupted = new AbortController();
  let interruptedAt = 0;
  const interrupt = (): void => {
    // One Ctrl-C arrives from the terminal and again through npm and the launcher. A second Ctrl-C ends this process
    // at once, and with it all processes that it started.
    if (interrupted.signal.aborted && performance.now() - interruptedAt > sameSignalMs) process.exit(130);
    if (!interrupted.signal.aborted) interruptedAt = performance.now();
    interrupted.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  const { signal } = interrupted;
  const narrator = createNarrator({ pauseMs: options.quick ? 0 : 3_500, signal });
  let stage: Stage | undefined;
  try {
    narrator.show('Everything here is private and temporary. Starting…');
    stage = await openStage({ broker: options['no-broker'] !== true });
    signal.throwIfAborted();
    if (stage.rabbit === undefined) {
      narrator.show(
        `RabbitMQ is not ${options['no-broker'] ? 'used' : 'installed'}: the ledger alone keeps the requests. To install it:\n  ${rabbitAdvice}`,
      );
    } else narrator.show(`RabbitMQ answers at ${new URL(stage.rabbit.url).host}`);
    if (!catastrophe) await tellStory(narrator, stage);
    else if (!(await tellCatastrophe(narrator, stage))) process.exitCode = 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    await stage?.close();
    for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(each, interrupt);
  }
}

const options = { quick: { type: 'boolean' }, 'no-broker': { type: 'boolean' } } as const;
await runCommand({ usage, options, takesArguments: true }, async (values, positionals) => {
  const known = positionals.length === 0 || (positionals.length === 1 && positionals[0] === 'catastrofe');
  if (!known) throw new UsageError(`Unknown argument: ${positionals.join(' ')}`);
  await demo(positionals.length === 1, values).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
});
