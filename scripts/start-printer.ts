import { readableRequest } from '../gateway/http/access-log.ts';
import { createPrettifier } from '../runtime/log.ts';

export interface StartPrinterOptions {
  readonly format: 'pretty' | 'json';
  readonly say: (text: string) => void;
  /** Whether the addresses have been announced. Before, people see only warnings and errors. */
  readonly isAnnounced: () => boolean;
  /** Whether failed connections to RabbitMQ are expected, and therefore not printed. */
  readonly expectsNoBroker: () => boolean;
}

/**
 * Returns a printer for the log lines of a service: unchanged as JSON, else readable and prefixed with the service's
 * name.
 */
export function createStartPrinter(options: StartPrinterOptions): (name: string) => (line: string) => void {
  const { format, say, isAnnounced, expectsNoBroker } = options;
  const prettify = createPrettifier({ readable: readableRequest, withoutName: true });
  const isHidden = (line: string): boolean =>
    (expectsNoBroker() && /^\{"level":"warn".*"link":/.test(line)) ||
    (format === 'pretty' && !isAnnounced() && line.startsWith('{"level":"info"'));
  return (name) => (line) => {
    if (isHidden(line)) return;
    if (format === 'json') say(line);
    else for (const part of prettify(line).trimEnd().split('\n')) say(`${name.padEnd(7)} │ ${part}`);
  };
}
