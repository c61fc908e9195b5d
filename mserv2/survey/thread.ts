import { parentPort, workerData } from 'node:worker_threads';
import { openRoot } from '../../filesystem/root.ts';
import type { Command } from './messages.ts';
import { buffersOf } from './parcel.ts';
import { Surveyor } from './surveyor.ts';

/** What a surveyor's thread is started with. */
export interface SurveyorData {
  readonly root: string;
  readonly watchLimit: number | undefined;
}

const port = parentPort;
if (port === null) throw new Error('This module runs in a worker thread');
const { root, watchLimit } = workerData as SurveyorData;
const surveyor = new Surveyor({
  root: openRoot(root),
  send: (message) => {
    port.postMessage(message, message.kind === 'parcel' ? buffersOf(message.parcel) : []);
  },
  ...(watchLimit === undefined ? {} : { limit: watchLimit }),
});
port.on('message', (command: Command) => {
  surveyor.receive(command);
  if (command.kind === 'stop') port.close();
});
