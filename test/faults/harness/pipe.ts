import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Frame } from './amqp-frames.ts';

/** What a pipe asks before it carries a frame on. */
export interface Rules {
  /**
   * Resolves when the frame's turn has come. `drop`: it is not carried; `cut`: half of it is, and then both ends are
   * reset; `slow`: it is carried byte by byte.
   */
  admit(frame: Frame, arrivedAt: number): Promise<'pass' | 'drop' | 'cut' | 'slow'>;
  /** After it was written. */
  carried(frame: Frame): Promise<void>;
  /** Resolves when the end of one side may be told to the other. */
  admitEnd(): Promise<void>;
}

/** More than this waiting, and nothing more is read. */
const mostWaiting = 4 * 2 ** 20;
/** Of a frame so many bytes go one by one, and the others in slices: 130,000 writes would keep this process busy for seconds. */
const bytesAlone = 4096;
const sliceBytes = 64;

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + (at < bytesAlone ? 1 : sliceBytes);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Carries one direction of a connection, frame by frame, in order. */
export function pipe(
  source: Socket,
  sink: Socket,
  framesOf: (chunk: Buffer) => readonly Frame[],
  rules: Rules,
): void {
  const waiting: { readonly frame: Frame; readonly at: number }[] = [];
  let waitingBytes = 0;
  let ended = false;
  let wake = (): void => {};

  source.on('data', (chunk: Buffer) => {
    const at = performance.now();
    for (const frame of framesOf(chunk)) waiting.push({ frame, at });
    waitingBytes += chunk.length;
    if (waitingBytes > mostWaiting) source.pause();
    wake();
  });
  source.on('close', () => {
    ended = true;
    wake();
  });
  // What went wrong is seen in the close that follows.
  source.on('error', () => {});

  async function write(bytes: Buffer): Promise<void> {
    if (sink.destroyed || sink.write(bytes)) return;
    await Promise.race([once(sink, 'drain'), once(sink, 'close')]).catch(() => {});
  }

  async function carry(frame: Frame, at: number): Promise<void> {
    const what = await rules.admit(frame, at);
    if (what === 'drop') return;
    if (what === 'cut') {
      await write(frame.bytes.subarray(0, frame.bytes.length >> 1));
      sink.resetAndDestroy();
      source.resetAndDestroy();
      return;
    }
    if (what === 'pass') await write(frame.bytes);
    else for (const slice of slices(frame.bytes)) await writeAlone(slice);
    await rules.carried(frame);
  }

  /** In a segment of its own: the next one is not written before the kernel has taken this one. */
  async function writeAlone(slice: Buffer): Promise<void> {
    if (sink.destroyed) return;
    await new Promise<void>((resolve) => sink.write(slice, () => resolve()));
  }

  async function run(): Promise<void> {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        waitingBytes -= next.frame.bytes.length;
        if (waitingBytes < mostWaiting) source.resume();
        await carry(next.frame, next.at);
      } else if (ended) {
        await rules.admitEnd();
        sink.end(() => sink.destroy());
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  void run();
}
