import { lstatSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fromBytes, joinParts, toBytes } from '../../../filesystem/byte-string.ts';
import type { Jail } from '../../../filesystem/jail.ts';
import { openRoot, type Root } from '../../../filesystem/root.ts';
import { Crawler, type Knowledge } from '../../../mserv2/crawl/crawler.ts';
import { type FolderNumber, rootFolder } from '../../../mserv2/index/api.ts';
import { MemoryIndex } from '../../../mserv2/index/memory-index.ts';
import type { Command, Message, ScanWorkerData } from '../../../mserv2/scan/messages.ts';
import { Scanner, type ScannerOptions } from '../../../mserv2/scan/scanner.ts';
import { startScanWorker } from '../../../mserv2/scan/worker-client.ts';

export interface CrawledIndexOptions {
  readonly index?: MemoryIndex;
  readonly restored?: boolean;
  readonly scanners?: number;
  readonly sweepMs?: number;
  /** Options of scanners in worker threads, as in the product. */
  readonly scanner?: Partial<ScanWorkerData>;
  /** Runs the scanners in this thread, with these options. */
  readonly here?: { readonly jail?: Jail } & Partial<ScannerOptions>;
}

interface RunningScanner {
  send(command: Command): void;
  stop(): Promise<void>;
}

/** An index, a crawler and scanners over a real folder, as the index worker runs them. */
export class CrawledIndex implements AsyncDisposable {
  readonly index: MemoryIndex;
  readonly crawler: Crawler;
  /** Every state of knowledge that the crawler reported, in order. */
  readonly history: Knowledge[] = [];
  /** How often the crawler reported that answers may have changed. */
  changes = 0;
  /** Watched folders and all folders, as last reported. */
  watched: readonly [watched: number, folders: number] | undefined;
  readonly root: Root;
  readonly #scanners: readonly RunningScanner[];
  readonly #listeners = new Set<() => void>();

  constructor(root: string, options: CrawledIndexOptions = {}) {
    const { index = new MemoryIndex(), restored = false, scanners = 2, sweepMs = 60_000 } = options;
    this.index = index;
    this.root = openRoot(root, options.here?.jail);
    this.#scanners = Array.from({ length: scanners }, (_, number) => {
      const receive = (message: Message): void => this.crawler.receive(number, message);
      return options.here === undefined
        ? startWorker({ root, watchLimit: undefined, ...options.scanner }, receive)
        : startHere(new Scanner({ root: this.root, send: receive, ...options.here }));
    });
    this.crawler = new Crawler({
      index,
      restored,
      root: this.root,
      scanners: this.#scanners,
      sweepMs,
      onKnowledge: (knowledge) => {
        this.history.push(knowledge);
        for (const listener of this.#listeners) listener();
      },
      onNews: () => {
        this.changes += 1;
      },
      onWatched: (watched, folders) => {
        this.watched = [watched, folders];
      },
    });
    this.crawler.start();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves when every change made before this call is in the index.
   * @throws after four minutes, with the crawler's last states of knowledge
   */
  async settled(): Promise<void> {
    const limit = performance.now() + 240_000;
    while ((await this.crawler.caughtUp(1000)) !== 'listo') {
      if (performance.now() > limit) {
        const last = JSON.stringify(this.history.slice(-5));
        throw new Error(`The crawler does not settle; watched: ${this.watched}; last knowledge: ${last}`);
      }
      await delay(5);
    }
  }

  /** Returns the index's entries as sorted lines: path in hex, and kind. */
  entries(): string[] {
    const lines: string[] = [];
    const visit = (folder: FolderNumber): void => {
      for (const entry of this.index.children(folder)) {
        const kind = this.index.kindOf(entry);
        const path = this.index.pathOf(entry);
        lines.push(`${toBytes(path).toString('hex')} ${kind}`);
        if (kind === 2) visit(this.index.folderOf(entry));
      }
    };
    visit(rootFolder);
    return lines.sort(byUnits);
  }

  /** Returns the paths whose size or date in the index differs from lstat's. */
  stale(root: string): string[] {
    const paths: string[] = [];
    const visit = (folder: FolderNumber): void => {
      for (const entry of this.index.children(folder)) {
        const path = this.index.pathOf(entry);
        const stats = lstatSync(Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]), { bigint: true });
        // A write through the other hard link is not noticed.
        const isShared = stats.nlink > 1n && !stats.isDirectory();
        if (!isShared && !this.index.sameStats(entry, stats.size, stats.mtimeNs)) paths.push(path);
        if (this.index.kindOf(entry) === 2) visit(this.index.folderOf(entry));
      }
    };
    visit(rootFolder);
    return paths;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.crawler.stop();
    await Promise.all(this.#scanners.map((scanner) => scanner.stop()));
  }
}

/** Returns the lines that `entries` should have, by a naive walk of the folder. */
export function entriesOf(root: string): string[] {
  const lines: string[] = [];
  const visit = (path: ReturnType<typeof fromBytes>): void => {
    const at = Buffer.concat([Buffer.from(`${root}/`), toBytes(path)]);
    for (const name of readdirSync(at, { encoding: 'buffer' })) {
      const below = joinParts(path, fromBytes(name));
      const stats = lstatSync(Buffer.concat([Buffer.from(`${root}/`), toBytes(below)]));
      const kind = stats.isFile() ? 1 : stats.isDirectory() ? 2 : stats.isSymbolicLink() ? 3 : 4;
      lines.push(`${toBytes(below).toString('hex')} ${kind}`);
      if (kind === 2) visit(below);
    }
  };
  visit(fromBytes(Buffer.alloc(0)));
  return lines.sort(byUnits);
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function startWorker(data: ScanWorkerData, receive: (message: Message) => void): RunningScanner {
  const worker = startScanWorker();
  worker.notify('begin', data);
  worker.listen({ onEvent: receive });
  return { send: (command) => worker.notify('command', command), stop: () => worker.stop() };
}

function startHere(scanner: Scanner): RunningScanner {
  return { send: (command) => scanner.receive(command), stop: async () => scanner.stop() };
}
