import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Frame } from './amqp-frames.ts';

/** Decides how a pipe forwards each frame. */
export interface Rules {
  /**
   * Resolves when the frame may be forwarded. `drop` discards it; `cut` writes half of it and resets both ends; `slow`
   * writes it byte by byte.
   */
  admit(frame: Frame, arrivedAt: number): Promise<'pass' | 'drop' | 'cut' | 'slow'>;
  /** Called after a frame is written. */
  forwarded(frame: Frame): Promise<void>;
  /** Resolves when the end of one side may be passed on to the other. */
  admitEnd(): Promise<void>;
}

/** Reading pauses while more bytes than this are buffered. */
const maxBuffered = 4 * 2 ** 20;
/** Only the first bytes of a frame are written singly: 130,000 writes would keep this process busy for seconds. */
const singleBytes = 4096;
const sliceBytes = 64;

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + (at < singleBytes ? 1 : sliceBytes);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Forwards one direction of a connection, frame by frame, in order. */
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
    if (waitingBytes > maxBuffered) source.pause();
    wake();
  });
  source.on('close', () => {
    ended = true;
    wake();
  });
  // The close event that follows is enough.
  source.on('error', () => {});

  async function write(bytes: Buffer): Promise<void> {
    if (sink.destroyed || sink.write(bytes)) return;
    await Promise.race([once(sink, 'drain'), once(sink, 'close')]).catch(() => {});
  }

  async function forward(frame: Frame, at: number): Promise<void> {
    const decision = await rules.admit(frame, at);
    if (decision === 'drop') return;
    if (decision === 'cut') {
      await write(frame.bytes.subarray(0, frame.bytes.length >> 1));
      sink.resetAndDestroy();
      source.resetAndDestroy();
      return;
    }
    if (decision === 'pass') await write(frame.bytes);
    else for (const slice of slices(frame.bytes)) await writeAlone(slice);
    await rules.forwarded(frame);
  }

  /** Writes a slice as its own TCP segment: resolves when the kernel has taken it. */
  async function writeAlone(slice: Buffer): Promise<void> {
    if (sink.destroyed) return;
    await new Promise<void>((resolve) => sink.write(slice, () => resolve()));
  }

  async function run(): Promise<void> {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        waitingBytes -= next.frame.bytes.length;
        if (waitingBytes < maxBuffered) source.resume();
        await forward(next.frame, next.at);
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
