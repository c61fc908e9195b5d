/** Worker that answers, fails, waits or exits, as each request asks. */
import { FileError } from '../../../filesystem/file-error.ts';
import type { Protocol } from '../../../runtime/workers/messages.ts';
import { serveWorker } from '../../../runtime/workers/worker.ts';

export interface SampleProtocol extends Protocol {
  readonly requests: {
    readonly double: (number: number) => number;
    readonly fail: (reason: string) => void;
    /** Answers when its signal is aborted, after emitting `aborted`. */
    readonly wait: (nothing: undefined) => void;
    readonly bytes: (length: number) => Uint8Array<ArrayBuffer>;
    /** Returns the length, in the worker, of the last answer of `bytes`; 0 once it is transferred. */
    readonly kept: (nothing: undefined) => number;
    readonly emit: (text: string) => void;
    readonly die: (how: 'throws' | 'exits') => void;
  };
  readonly event: string;
}

serveWorker<SampleProtocol>((emit) => {
  let bytes = new Uint8Array();
  return {
    requests: {
      double: (number) => 2 * number,
      fail(reason) {
        throw new FileError('NOT_FOUND', reason, 'No such thing', { cause: new Error('The cause') });
      },
      wait: (_nothing, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            emit('aborted');
            resolve();
          });
        }),
      bytes(length) {
        bytes = new Uint8Array(length);
        return bytes;
      },
      kept: () => bytes.byteLength,
      emit: (text) => emit(text),
      die(how) {
        if (how === 'exits') process.exit(1);
        setImmediate(() => {
          throw new Error('A defect');
        });
      },
    },
    stop: () => emit('stopped'),
    buffersOf: (answer) => (answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : []),
  };
});
