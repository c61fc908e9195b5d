import { parentPort } from 'node:worker_threads';
import { openRoot } from '../../filesystem/root.ts';
import { buffersOf } from './batch.ts';
import type { Command } from './messages.ts';
import { Surveyor } from './scanner.ts';

/** What a surveyor's thread begins with: its first message. Commands follow. */
export interface SurveyorData {
  readonly root: string;
  readonly watchLimit: number | undefined;
}

const port = parentPort;
if (port === null) throw new Error('This module runs in a worker thread');
let surveyor: Surveyor | undefined;

function begin({ root, watchLimit }: SurveyorData): Surveyor {
  return new Surveyor({
    root: openRoot(root),
    send: (message) => {
      port?.postMessage(message, message.kind === 'parcel' ? buffersOf(message.parcel) : []);
    },
    ...(watchLimit === undefined ? {} : { limit: watchLimit }),
  });
}

port.on('message', (message: SurveyorData | Command) => {
  if (!('kind' in message)) {
    surveyor = begin(message);
    return;
  }
  surveyor?.receive(message);
  if (message.kind === 'stop') port.close();
});
