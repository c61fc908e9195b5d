import { type Part, runProcess } from '../../../runtime/lifecycle.ts';
import { createLogger } from '../../../runtime/log.ts';

// Runs a process with two parts; the second misbehaves as told: LIFECYCLE=start-fails node lifecycle-child.ts

const misbehaviour = process.env['LIFECYCLE'];
const log = createLogger({ name: 'child' });
const failure = new AbortController();

function part(name: string, more: Partial<Part> = {}): Part {
  return {
    name,
    start: async () => {
      log.info({ part: name }, 'started');
      await more.start?.();
    },
    stop: async () => {
      log.info({ part: name }, 'part stopped');
      await more.stop?.();
    },
  };
}

const never = new Promise<never>(() => {});
const second: Record<string, Partial<Part>> = {
  'start-fails': {
    start: async () => {
      throw new Error('no place');
    },
  },
  'start-waits': { start: () => new Promise((resolve) => process.once('SIGUSR2', () => resolve())) },
  'stop-fails': {
    stop: async () => {
      throw new Error('stuck');
    },
  },
  'stop-hangs': { stop: () => never },
  leaks: {
    start: async () => {
      setInterval(() => {}, 1_000);
    },
  },
  throws: {
    start: async () => {
      process.once('SIGUSR2', () => {
        throw new Error('a bug');
      });
    },
  },
  rejects: {
    start: async () => {
      process.once('SIGUSR2', () => void Promise.reject(new Error('a forgotten bug')));
    },
  },
  'cannot-go-on': {
    start: async () => {
      process.once('SIGUSR2', () => failure.abort(new Error('the disk is gone')));
    },
  },
};

await runProcess({
  log,
  parts: [part('first'), part('second', second[misbehaviour ?? ''])],
  stopTimeoutMs: misbehaviour === 'stop-hangs' && process.env['PATIENT'] === undefined ? 100 : 60_000,
  failure: failure.signal,
});
