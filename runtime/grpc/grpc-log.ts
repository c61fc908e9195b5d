import { format } from 'node:util';
import { setLogger } from '@grpc/grpc-js';
import type { Logger } from 'pino';

/**
 * grpc-js speaks to the console of its own accord; what it says becomes lines of the log. They are debug lines, because
 * all that matters of it also comes as an error or a status.
 */
export function adoptGrpcLog(log: Logger): void {
  const say = (...words: unknown[]): void => log.debug({ from: 'grpc-js' }, format(...words));
  setLogger({ debug: say, info: say, warn: say, error: say });
}
