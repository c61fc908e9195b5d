import type { Command } from '../scan/messages.ts';
import type { FolderState, FolderStates } from './folder-states.ts';

/** Priorities of scans, the most urgent first. */
export const priorities = ['news', 'names', 'stats', 'unwatched'] as const;
export type Priority = (typeof priorities)[number];

export interface CrawlFrontierOptions {
  readonly states: FolderStates;
  readonly scanners: number;
  /** Estimates the number of a folder's entries. */
  readonly entriesOf: (state: FolderState) => number;
  readonly send: (scanner: number, command: Command & { kind: 'scan' }) => void;
  /** Whether any scanner may take the folders of a priority, not only the one that watches them. */
  readonly isShared: (priority: Priority) => boolean;
  /** Returns the command's fields for folders of a priority. */
  readonly describe: (
    priority: Priority,
    folders: readonly FolderState[],
  ) => Omit<Command & { kind: 'scan' }, 'kind' | 'job'>;
}

/** Jobs queued at a scanner, so that it is never idle while there is work. */
const jobsAtOnce = 4;
const jobEntries = 1000;
const jobFolders = 64;

interface Job {
  readonly priority: Priority;
  readonly scanner: number;
  readonly folders: number;
}

/** A queue that does not move its items. */
class Fifo {
  #items: FolderState[] = [];
  #head = 0;

  push(state: FolderState): void {
    this.#items.push(state);
  }

  shift(): FolderState | undefined {
    const state = this.#items[this.#head];
    this.#head += 1;
    if (this.#head < this.#items.length) return state;
    this.#items = [];
    this.#head = 0;
    return state;
  }
}

/** The crawl frontier: folders that wait for a scan, and the jobs in progress. */
export class CrawlFrontier {
  readonly #options: CrawlFrontierOptions;
  /** Queues by priority, then by scanner. */
  readonly #queues: Record<Priority, readonly Fifo[]>;
  /** Number of folders that wait or are being scanned, by priority. */
  readonly #open: Record<Priority, number> = { news: 0, names: 0, stats: 0, unwatched: 0 };
  readonly #jobs = new Map<number, Job>();
  readonly #busy: number[];
  #lastJob = 0;

  constructor(options: CrawlFrontierOptions) {
    this.#options = options;
    const queues = (): Fifo[] => Array.from({ length: options.scanners }, () => new Fifo());
    this.#queues = { news: queues(), names: queues(), stats: queues(), unwatched: queues() };
    this.#busy = Array.from({ length: options.scanners }, () => 0);
  }

  /** Returns whether no folder of a priority waits or is being scanned. */
  isDone(priority: Priority): boolean {
    return this.#open[priority] === 0;
  }

  /** Returns whether the frontier is empty and no job runs. */
  isAtRest(): boolean {
    return this.#jobs.size === 0 && priorities.every((priority) => this.isDone(priority));
  }

  /** Adds a folder, unless it waits with this priority already. */
  add(priority: Priority, state: FolderState): void {
    const bit = 1 << priorities.indexOf(priority);
    if ((state.waiting & bit) !== 0) return;
    state.waiting |= bit;
    this.#open[priority] += 1;
    this.#queues[priority][state.scanner]?.push(state);
  }

  /** Sends jobs to the scanners that have room. */
  dispatch(): void {
    for (const [scanner, busy] of this.#busy.entries()) {
      for (let jobs = busy; jobs < jobsAtOnce && this.#sendTo(scanner); jobs++);
    }
  }

  /** Marks a job's scanner as free; the job's reports may still wait for the index. */
  free(number: number): void {
    const job = this.#jobs.get(number);
    if (job !== undefined) this.#busy[job.scanner] = (this.#busy[job.scanner] ?? 0) - 1;
  }

  /** Ends a job whose reports are in the index. */
  finish(number: number): void {
    const job = this.#jobs.get(number);
    if (job !== undefined) this.#open[job.priority] -= job.folders;
    this.#jobs.delete(number);
  }

  #sendTo(scanner: number): boolean {
    for (const priority of priorities) {
      const folders = this.#take(priority, scanner);
      // Otherwise one scanner would finish long before the others: the index takes more from some than from others.
      for (let other = 0; folders.length === 0 && other < this.#busy.length; other++) {
        if (this.#options.isShared(priority)) folders.push(...this.#take(priority, other));
      }
      if (folders.length === 0) continue;
      this.#lastJob += 1;
      this.#jobs.set(this.#lastJob, { priority, scanner, folders: folders.length });
      this.#busy[scanner] = (this.#busy[scanner] ?? 0) + 1;
      const words = this.#options.describe(priority, folders);
      this.#options.send(scanner, { kind: 'scan', job: this.#lastJob, ...words });
      return true;
    }
    return false;
  }

  #take(priority: Priority, scanner: number): FolderState[] {
    const { states, entriesOf } = this.#options;
    const queue = this.#queues[priority][scanner];
    const bit = 1 << priorities.indexOf(priority);
    const taken: FolderState[] = [];
    let entries = 0;
    while (taken.length < jobFolders && entries < jobEntries) {
      const state = queue?.shift();
      if (state === undefined) break;
      state.waiting &= ~bit;
      if (states.byToken(state.token) !== state) {
        this.#open[priority] -= 1;
        continue;
      }
      taken.push(state);
      entries += entriesOf(state);
    }
    return taken;
  }
}
