import { pino } from 'pino';
import type { CallContext } from '../../../runtime/handlers.ts';

/** What a door tells a handler, for a test that is its own door. */
export function callContext(signal = new AbortController().signal): CallContext {
  const stopping = new AbortController().signal;
  return { signal, requestId: 'test', queued: false, stopping, log: pino({ level: 'silent' }) };
}
