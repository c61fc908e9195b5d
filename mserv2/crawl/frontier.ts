import type { Command } from '../scan/messages.ts';
import type { FolderState, FolderStates } from './folder-states.ts';

/** What is to be surveyed, the most pressing first. */
export const lanes = ['news', 'names', 'stats', 'unwatched'] as const;
export type Lane = (typeof lanes)[number];

export interface AgendaOptions {
  readonly states: FolderStates;
  readonly surveyors: number;
  /** How many entries a folder is thought to have. */
  readonly entriesOf: (state: FolderState) => number;
  readonly send: (surveyor: number, command: Command & { kind: 'survey' }) => void;
  /** Whether a lane's folders may be surveyed by anybody now, and not only by who watches them. */
  readonly isAnybodys: (lane: Lane) => boolean;
  /** The command's words on a folder: what to do in a lane. */
  readonly describe: (
    lane: Lane,
    folders: readonly FolderState[],
  ) => Omit<Command & { kind: 'survey' }, 'kind' | 'job'>;
}

/** What waits at a surveyor keeps it busy until it gets more. */
const jobsAtOnce = 4;
const jobEntries = 1000;
const jobFolders = 64;

interface Job {
  readonly lane: Lane;
  readonly surveyor: number;
  readonly folders: number;
}

/** First in, first out, without moving the rest. */
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

/** Who surveys what, when. */
export class Agenda {
  readonly #options: AgendaOptions;
  /** By lane, by surveyor. */
  readonly #queues: Record<Lane, readonly Fifo[]>;
  /** Folders that wait or are being surveyed, by lane. */
  readonly #open: Record<Lane, number> = { news: 0, names: 0, stats: 0, unwatched: 0 };
  readonly #jobs = new Map<number, Job>();
  readonly #busy: number[];
  #lastJob = 0;

  constructor(options: AgendaOptions) {
    this.#options = options;
    const queues = (): Fifo[] => Array.from({ length: options.surveyors }, () => new Fifo());
    this.#queues = { news: queues(), names: queues(), stats: queues(), unwatched: queues() };
    this.#busy = Array.from({ length: options.surveyors }, () => 0);
  }

  /** Whether nothing waits in a lane, nor is being done. */
  isDone(lane: Lane): boolean {
    return this.#open[lane] === 0;
  }

  /** Whether nothing waits at all. */
  isAtRest(): boolean {
    return this.#jobs.size === 0 && lanes.every((lane) => this.isDone(lane));
  }

  /** A folder that waits in the lane already need not be surveyed twice. */
  add(lane: Lane, state: FolderState): void {
    const bit = 1 << lanes.indexOf(lane);
    if ((state.waiting & bit) !== 0) return;
    state.waiting |= bit;
    this.#open[lane] += 1;
    this.#queues[lane][state.surveyor]?.push(state);
  }

  /** Sends what there is to those who have time. */
  dispatch(): void {
    for (const [surveyor, busy] of this.#busy.entries()) {
      for (let jobs = busy; jobs < jobsAtOnce && this.#sendTo(surveyor); jobs++);
    }
  }

  /** The surveyor has time again; what it reported may still have to be looked at. */
  free(number: number): void {
    const job = this.#jobs.get(number);
    if (job !== undefined) this.#busy[job.surveyor] = (this.#busy[job.surveyor] ?? 0) - 1;
  }

  /** What the job reported is in the index. */
  finish(number: number): void {
    const job = this.#jobs.get(number);
    if (job !== undefined) this.#open[job.lane] -= job.folders;
    this.#jobs.delete(number);
  }

  #sendTo(surveyor: number): boolean {
    for (const lane of lanes) {
      const folders = this.#take(lane, surveyor);
      // Else one would end long before the others: the index's thread takes more from some than from others.
      for (let other = 0; folders.length === 0 && other < this.#busy.length; other++) {
        if (this.#options.isAnybodys(lane)) folders.push(...this.#take(lane, other));
      }
      if (folders.length === 0) continue;
      this.#lastJob += 1;
      this.#jobs.set(this.#lastJob, { lane, surveyor, folders: folders.length });
      this.#busy[surveyor] = (this.#busy[surveyor] ?? 0) + 1;
      const words = this.#options.describe(lane, folders);
      this.#options.send(surveyor, { kind: 'survey', job: this.#lastJob, ...words });
      return true;
    }
    return false;
  }

  #take(lane: Lane, surveyor: number): FolderState[] {
    const { states, entriesOf } = this.#options;
    const queue = this.#queues[lane][surveyor];
    const bit = 1 << lanes.indexOf(lane);
    const taken: FolderState[] = [];
    let entries = 0;
    while (taken.length < jobFolders && entries < jobEntries) {
      const state = queue?.shift();
      if (state === undefined) break;
      state.waiting &= ~bit;
      if (states.byToken(state.token) !== state) {
        this.#open[lane] -= 1;
        continue;
      }
      taken.push(state);
      entries += entriesOf(state);
    }
    return taken;
  }
}
