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
    else for (const byte of frame.bytes) await writeAlone(byte);
    await rules.carried(frame);
  }

  /** In a segment of its own: the next one is not written before the kernel has taken this one. */
  async function writeAlone(byte: number): Promise<void> {
    if (sink.destroyed) return;
    await new Promise<void>((resolve) => sink.write(Buffer.of(byte), () => resolve()));
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
