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

export interface CrawledOptions {
  readonly index?: MemoryIndex;
  readonly restored?: boolean;
  readonly scanners?: number;
  readonly sweepMs?: number;
  /** For scanners in threads of their own, as they really are. */
  readonly scanner?: Partial<ScanWorkerData>;
  /** For scanners in this thread. */
  readonly here?: { readonly jail?: Jail } & Partial<ScannerOptions>;
}

interface RunningScanner {
  send(command: Command): void;
  stop(): Promise<void>;
}

/** A real crawler with real scanners over a real folder, as the index's thread runs them. */
export class Crawled implements AsyncDisposable {
  readonly index: MemoryIndex;
  readonly crawler: Crawler;
  /** What it knew, one after the other. */
  readonly history: Knowledge[] = [];
  /** How often it told that answers may be other ones now. */
  news = 0;
  /** Watched folders, of all; as told last. */
  watched: readonly [watched: number, folders: number] | undefined;
  readonly root: Root;
  readonly #scanners: readonly RunningScanner[];
  readonly #listeners = new Set<() => void>();

  constructor(root: string, options: CrawledOptions = {}) {
    const { index = new MemoryIndex(), restored = false, scanners = 2, sweepMs = 60_000 } = options;
    this.index = index;
    this.root = openRoot(root, options.here?.jail);
    this.#scanners = Array.from({ length: scanners }, (_, number) => {
      const receive = (message: Message): void => this.crawler.receive(number, message);
      return options.here === undefined
        ? begun({ root, watchLimit: undefined, ...options.scanner }, receive)
        : here(new Scanner({ root: this.root, send: receive, ...options.here }));
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
        this.news += 1;
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
   * Resolves when everything that happened before is in the index.
   * @throws with what the crawler knew, when that takes longer than it ever should
   */
  async settled(): Promise<void> {
    const limit = performance.now() + 240_000;
    while ((await this.crawler.caughtUp(1000)) !== 'listo') {
      if (performance.now() > limit) {
        const last = JSON.stringify(this.history.slice(-5));
        throw new Error(`The crawler does not settle; watched: ${this.watched}; it knew, at last: ${last}`);
      }
      await delay(5);
    }
  }

  /** All entries of the index: path in hex, kind, size and date. */
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

  /** Paths of those entries whose size or date is not what lstat says. */
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

/** What `entries` should be: a naive walk. */
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

function begun(data: ScanWorkerData, receive: (message: Message) => void): RunningScanner {
  const worker = startScanWorker();
  worker.notify('begin', data);
  worker.listen({ onEvent: receive });
  return { send: (command) => worker.notify('command', command), stop: () => worker.stop() };
}

function here(scanner: Scanner): RunningScanner {
  return { send: (command) => scanner.receive(command), stop: async () => scanner.stop() };
}
