import { format } from 'node:util';
import { setLogger } from '@grpc/grpc-js';
import type { Logger } from 'pino';

/**
 * Routes grpc-js's console messages to the log. They are debug lines, because everything important also comes as an
 * error or a status.
 */
export function adoptGrpcLog(log: Logger): void {
  const say = (...words: unknown[]): void => log.debug({ from: 'grpc-js' }, format(...words));
  setLogger({ debug: say, info: say, warn: say, error: say });
}
