import { pino } from 'pino';
import type { CallContext } from '../../../runtime/handlers.ts';

/** Returns a call context, for tests that call a handler directly, without a listener or consumer. */
export function callContext(signal = new AbortController().signal): CallContext {
  const stopping = new AbortController().signal;
  return { signal, requestId: 'test', queued: false, stopping, log: pino({ level: 'silent' }) };
}
