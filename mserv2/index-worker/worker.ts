import { availableParallelism } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { SurveyorThread } from '../scan/worker-client.ts';

/** More would only wait for this one, in which the index lives. */
const maxSurveyors = 2;

const port = parentPort;
if (port === null) throw new Error('This module runs in a worker thread');
// They load what they run while this thread does.
const surveyors = Array.from(
  { length: Math.min(availableParallelism(), maxSurveyors) },
  () => new SurveyorThread(),
);
const { serveIndex } = await import('./indexing.ts');
serveIndex(port, surveyors);
