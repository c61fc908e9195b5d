import { openRoot } from '../../filesystem/root.ts';
import { collectGarbage } from '../../runtime/workers/garbage.ts';
import { type Emit, serveWorker } from '../../runtime/workers/worker.ts';
import { Crawler, type Knowledge } from '../crawl/crawler.ts';
import { SnapshotFile } from '../crawl/snapshot-file.ts';
import { unwatchedFolders } from '../crawl/unwatched.ts';
import type { ScanWorkerClient } from '../scan/worker-client.ts';
import type { IndexProtocol, IndexWorkerData } from './messages.ts';
import type { Searches } from './searches.ts';

/** Interval at which a changed index is offered to the snapshot file. */
const saveMs = 30_000;
/** A beat of the feed waits at most this long for the index to catch up. */
const settleMs = 400;

interface IndexService {
  /** Loaded while the scanners are at work already. */
  readonly searches: Promise<Searches>;
  /** Resolves when everything that had happened before the call is reported. */
  settle(): Promise<void>;
  /** Writes the snapshot. */
  stop(): Promise<void>;
}

/** Serves the index's worker: builds the index when the client begins, and searches it. */
export function serveIndex(scanners: readonly ScanWorkerClient[]): void {
  serveWorker<IndexProtocol>((emit) => {
    let service: IndexService | undefined;
    const begun = (): IndexService => {
      if (service === undefined) throw new Error('The first request must be begin');
      return service;
    };
    return {
      requests: {
        begin(data) {
          service = begin(data, scanners, emit);
        },
        search: async (search, signal) => (await begun().searches).search(search, signal),
        stream: async ({ stream, request }) => (await begun().searches).open(stream, request),
        next: async (stream) => (await begun().searches).next(stream),
        close: async (stream) => (await begun().searches).close(stream),
        settle: () => begun().settle(),
      },
      stop: () => service?.stop(),
      buffersOf: (answer) => (answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : []),
    };
  });
}

function begin(
  data: IndexWorkerData,
  scanners: readonly ScanWorkerClient[],
  emit: Emit<IndexProtocol>,
): IndexService {
  const startedAt = performance.now();
  const root = openRoot(data.root);
  const log = (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, text: string): void =>
    emit({ kind: 'log', level, fields, text });
  const logSize = (estado: Knowledge, text: string): void => {
    const ms = Math.round(performance.now() - startedAt);
    log('info', { estado, entries: index.entries, folders: index.folders, ms }, text);
  };

  const watchLimit = data.watches === undefined ? undefined : Math.floor(data.watches / scanners.length);
  for (const [number, scanner] of scanners.entries()) {
    scanner.notify('begin', { root: data.root, watchLimit });
    scanner.listen({
      onEvent: (message) => crawler.receive(number, message),
      // Without a scanner the index cannot be kept true: the end of this thread lets the client start it again.
      onEnd: (error) => {
        throw error;
      },
    });
  }
  const snapshots = new SnapshotFile({ file: data.snapshot, root: data.root, log });
  const { index, restored } = snapshots.load();
  if (restored) logSize('verificando', 'index');
  const crawler: Crawler = new Crawler({
    index,
    restored,
    root,
    scanners: scanners.map((scanner) => ({ send: (command) => scanner.notify('command', command) })),
    sweepMs: data.sweepMs,
    onKnowledge: (estado) => {
      logSize(estado, 'index');
      if (estado !== 'listo') {
        emit({ kind: 'changed', everything: true });
        return;
      }
      collectGarbage();
      void snapshots.saveNowAndThen(index);
    },
    onNamed: () => logSize(crawler.knowledge, 'all names are known'),
    onNews: () => emit({ kind: 'changed', everything: false }),
    onWatched: (watched, folders) => {
      const unwatched = watched === folders ? [] : unwatchedFolders(root, index, crawler);
      emit({ kind: 'unwatched', folders: unwatched });
      if (watched === folders) return;
      log(
        'warn',
        { watched, folders, sweepMs: data.sweepMs },
        'not every folder can be watched: the others are looked through from time to time',
      );
    },
  });
  crawler.start();
  const searches = import('./searches.ts').then(({ Searches }) => new Searches({ root, index, crawler }));
  const saving = setInterval(() => {
    if (crawler.knowledge === 'listo') void snapshots.saveNowAndThen(index);
  }, saveMs);

  return {
    searches,
    async settle() {
      crawler.checkRoot();
      const knowledge = await crawler.caughtUp(settleMs);
      // Not caught up in time: any entry may have changed.
      if (knowledge !== crawler.knowledge) emit({ kind: 'changed', everything: true });
    },
    async stop() {
      clearInterval(saving);
      crawler.stop();
      (await searches).closeAll();
      await Promise.all(scanners.map((scanner) => scanner.stop()));
      if (crawler.knowledge !== 'construyendo') await snapshots.save(index);
    },
  };
}
