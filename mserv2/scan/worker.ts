import { parentPort } from 'node:worker_threads';
import { openRoot } from '../../filesystem/root.ts';
import { buffersOf } from './batch.ts';
import type { Command } from './messages.ts';
import { Scanner } from './scanner.ts';

/** What a scanner's thread begins with: its first message. Commands follow. */
export interface ScanWorkerData {
  readonly root: string;
  readonly watchLimit: number | undefined;
}

const port = parentPort;
if (port === null) throw new Error('This module runs in a worker thread');
let scanner: Scanner | undefined;

function begin({ root, watchLimit }: ScanWorkerData): Scanner {
  return new Scanner({
    root: openRoot(root),
    send: (message) => {
      port?.postMessage(message, message.kind === 'batch' ? buffersOf(message.batch) : []);
    },
    ...(watchLimit === undefined ? {} : { limit: watchLimit }),
  });
}

port.on('message', (message: ScanWorkerData | Command) => {
  if (!('kind' in message)) {
    scanner = begin(message);
    return;
  }
  scanner?.receive(message);
  if (message.kind === 'stop') port.close();
});
