import type { MessagePort } from 'node:worker_threads';
import { openRoot } from '../../filesystem/root.ts';
import { collectGarbage } from '../../runtime/workers/garbage.ts';
import { Crawler, type Knowledge } from '../crawl/crawler.ts';
import { SnapshotFile } from '../crawl/snapshot-file.ts';
import { unwatchedFolders } from '../crawl/unwatched.ts';
import type { ScanWorkerClient } from '../scan/worker-client.ts';
import type { Answers } from './answers.ts';
import type { Ask, IndexWorkerData, Reply } from './messages.ts';

/** How often it is asked whether the index should be saved. */
const saveMs = 30_000;

interface Indexing {
  readonly answers: Promise<Answers>;
  /** Writes the snapshot. */
  stop(): Promise<void>;
}

/** The index's thread: makes the index when it is told to begin, and answers from it. */
export function serveIndex(port: MessagePort, scanners: readonly ScanWorkerClient[]): void {
  const reply = (message: Reply): void => {
    port.postMessage(message, message.kind === 'answer' && message.bytes ? [message.bytes.buffer] : []);
  };
  let indexing: Indexing | undefined;
  port.on('message', async (ask: Ask) => {
    if (ask.kind === 'begin') {
      indexing = begin(ask.data, scanners, reply);
      return;
    }
    if (ask.kind === 'stop') {
      await indexing?.stop();
      port.close();
      return;
    }
    // In the order in which they came: each waits for the same promise.
    (await indexing?.answers)?.receive(ask);
  });
}

function begin(
  data: IndexWorkerData,
  scanners: readonly ScanWorkerClient[],
  reply: (message: Reply) => void,
): Indexing {
  const startedAt = performance.now();
  const root = openRoot(data.root);
  const log = (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, text: string): void =>
    reply({ kind: 'log', level, fields, text });
  const logSize = (estado: Knowledge, text: string): void => {
    const ms = Math.round(performance.now() - startedAt);
    log('info', { estado, entries: index.entries, folders: index.folders, ms }, text);
  };

  const watchLimit = data.watches === undefined ? undefined : Math.floor(data.watches / scanners.length);
  for (const [number, scanner] of scanners.entries()) {
    scanner.begin({ root: data.root, watchLimit }, (message) => crawler.receive(number, message));
  }
  const snapshots = new SnapshotFile({ file: data.snapshot, root: data.root, log });
  const { index, restored } = snapshots.load();
  if (restored) logSize('verificando', 'index');
  const crawler: Crawler = new Crawler({
    index,
    restored,
    root,
    scanners,
    sweepMs: data.sweepMs,
    onKnowledge: (estado) => {
      logSize(estado, 'index');
      if (estado !== 'listo') {
        reply({ kind: 'news', todo: true });
        return;
      }
      collectGarbage();
      void snapshots.saveNowAndThen(index);
    },
    onNamed: () => logSize(crawler.knowledge, 'all names are known'),
    onNews: () => reply({ kind: 'news', todo: false }),
    onWatched: (watched, folders) => {
      const unwatched = watched === folders ? [] : unwatchedFolders(root, index, crawler);
      reply({ kind: 'unwatched', folders: unwatched });
      if (watched === folders) return;
      log(
        'warn',
        { watched, folders, sweepMs: data.sweepMs },
        'not every folder can be watched: the others are looked through from time to time',
      );
    },
  });
  crawler.start();
  // Loaded while the scanners are at work already.
  const answers = import('./answers.ts').then(({ Answers }) => new Answers({ root, index, crawler }, reply));
  const saving = setInterval(() => {
    if (crawler.knowledge === 'listo') void snapshots.saveNowAndThen(index);
  }, saveMs);

  return {
    answers,
    async stop() {
      clearInterval(saving);
      crawler.stop();
      (await answers).endAll();
      await Promise.all(scanners.map((scanner) => scanner.ended()));
      if (crawler.knowledge !== 'construyendo') await snapshots.save(index);
    },
  };
}
