import { openRoot } from '../../filesystem/root.ts';
import { serveWorker } from '../../runtime/workers/worker.ts';
import { buffersOf } from './batch.ts';
import type { ScanProtocol } from './messages.ts';
import { Scanner } from './scanner.ts';

serveWorker<ScanProtocol>((emit) => {
  let scanner: Scanner | undefined;
  return {
    requests: {
      begin({ root, watchLimit }) {
        scanner = new Scanner({
          root: openRoot(root),
          send: (message) => emit(message, message.kind === 'batch' ? buffersOf(message.batch) : []),
          ...(watchLimit === undefined ? {} : { limit: watchLimit }),
        });
      },
      command: (command) => scanner?.receive(command),
    },
    stop: () => scanner?.stop(),
  };
});
