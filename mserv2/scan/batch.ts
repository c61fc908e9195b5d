import type { ByteString } from '../../filesystem/byte-string.ts';

/** Names a folder between the crawler and its scanners; never used again for another folder. */
export type FolderToken = number;

/** What a report says. Reports come in the order in which things were seen, so a later one is always the better one. */
export const What = {
  /** All names of a folder, as of its stamp; with stats, or without. */
  LISTED: 0,
  /** The folder's mtime is still the target's stamp: its names are as they were. */
  SAME: 1,
  /** Some names of a folder, with stats. */
  LOOKED: 2,
  /** The folder cannot be read. */
  FAILED: 3,
  /** Something was made of the folder that only a new scan can tell. */
  UNSURE: 4,
} as const;
export type What = (typeof What)[keyof typeof What];

export interface Report {
  readonly what: What;
  readonly token: FolderToken;
  /** The folder's inode. */
  readonly identity: number;
  /** The folder's mtimeNs, from before it was read. */
  readonly stamp: bigint;
  readonly watched: boolean;
  /** Whether there is something in `sizes`, `ms` and `ns` for each name. */
  readonly stats: boolean;
  /** How many names. */
  readonly count: number;
  /** The system's name of the error; `root` when the root is not there. */
  readonly errno: string;
}

/** An entry whose lstat failed: its size is NaN, and its kind is what the folder says. */
export interface EntryFailure {
  readonly token: FolderToken;
  readonly name: ByteString;
  readonly errno: string;
}

/** Numbers per report: what, token, identity, flags, count of names, bytes of names. */
const fields = 6;
const slash = 0x2f;
const watchedFlag = 1;
const statsFlag = 2;

/** Many reports in one message, in columns: a million entries cross between threads in a tenth of a second. */
export interface ScanBatch {
  readonly reports: Float64Array<ArrayBuffer>;
  readonly stamps: BigInt64Array<ArrayBuffer>;
  /** The names of all reports; each report's with `/` between them. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** Per name its `Kind`; 0 for one that is not there. */
  readonly kinds: Uint8Array<ArrayBuffer>;
  /** Per name with stats. A folder has its inode for a size; NaN is a failure. */
  readonly sizes: Float64Array<ArrayBuffer>;
  /** Milliseconds since 1970, rounded down, and the nanoseconds that are left. */
  readonly ms: Float64Array<ArrayBuffer>;
  readonly ns: Uint32Array<ArrayBuffer>;
  readonly errnos: readonly string[];
  readonly failures: readonly EntryFailure[];
  /** The jobs that are done with this. */
  readonly jobs: readonly number[];
}

/** Where a report's names are in their batch: which byte, which name, which name with stats. */
export interface ReportRange {
  readonly from: number;
  readonly to: number;
  readonly name: number;
  readonly stat: number;
}

export function* reportsOf(batch: ScanBatch): Generator<Report & ReportRange, void> {
  const { reports, stamps, errnos } = batch;
  let from = 0;
  let name = 0;
  let stat = 0;
  let failed = 0;
  for (let at = 0; at < reports.length; at += fields) {
    // One by one: to take a piece of an array apart costs more than all the rest.
    const what = reports[at] as What;
    const flags = reports[at + 3] ?? 0;
    const count = reports[at + 4] ?? 0;
    const bytes = reports[at + 5] ?? 0;
    const stats = (flags & statsFlag) !== 0;
    yield {
      what,
      token: reports[at + 1] ?? 0,
      identity: reports[at + 2] ?? 0,
      stamp: stamps[at / fields] ?? 0n,
      watched: (flags & watchedFlag) !== 0,
      stats,
      count,
      errno: what === What.FAILED ? (errnos[failed] ?? '') : '',
      from,
      to: from + bytes,
      name,
      stat,
    };
    from += bytes;
    name += count;
    if (stats) stat += count;
    if (what === What.FAILED) failed += 1;
  }
}

export function namesOf({ names }: ScanBatch, { from, to }: ReportRange): ByteString[] {
  if (from === to) return [];
  const { buffer, byteOffset } = names;
  return Buffer.from(buffer, byteOffset + from, to - from)
    .toString('latin1')
    .split('/') as ByteString[];
}

/** Where the name ends that begins at `from`, in bytes that are a report's up to `to`. */
export function endOfName(names: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) if (names[at] === slash) return at;
  return to;
}

/** The buffers of a batch, to be handed over instead of copied. */
export function buffersOf({ reports, stamps, names, kinds, sizes, ms, ns }: ScanBatch): ArrayBuffer[] {
  return [reports, stamps, names, kinds, sizes, ms, ns].map(({ buffer }) => buffer);
}

/** Gathers reports for one batch. */
export class BatchWriter {
  #reports: number[] = [];
  #stamps: bigint[] = [];
  #names = '';
  #kinds: number[] = [];
  #sizes: number[] = [];
  #ms: number[] = [];
  #ns: number[] = [];
  #errnos: string[] = [];
  #failures: EntryFailure[] = [];
  #jobs: number[] = [];

  /** The stats of the names come by `stats`, one by one, before or after. */
  listed(
    report: Pick<Report, 'token' | 'identity' | 'stamp' | 'watched' | 'stats'>,
    names: readonly ByteString[],
    kinds: readonly number[],
  ): void {
    this.#report({ ...report, what: What.LISTED }, names, kinds);
  }

  same(report: Pick<Report, 'token' | 'identity' | 'stamp' | 'watched'>): void {
    this.#report({ ...report, what: What.SAME, stats: false });
  }

  looked(
    report: Pick<Report, 'token' | 'identity' | 'stamp'>,
    names: readonly ByteString[],
    kinds: readonly number[],
  ): void {
    this.#report({ ...report, what: What.LOOKED, watched: true, stats: true }, names, kinds);
  }

  failed(token: FolderToken, errno: string): void {
    this.#report({ token, what: What.FAILED, identity: 0, stamp: 0n, watched: false, stats: false });
    this.#errnos.push(errno);
  }

  unsure(token: FolderToken): void {
    this.#report({ token, what: What.UNSURE, identity: 0, stamp: 0n, watched: false, stats: false });
  }

  stats(size: number, ms: number, ns: number): void {
    this.#sizes.push(size);
    this.#ms.push(ms);
    this.#ns.push(ns);
  }

  failure(failure: EntryFailure): void {
    this.#failures.push(failure);
  }

  done(job: number): void {
    this.#jobs.push(job);
  }

  /** Undefined when there is nothing to send. */
  take(): ScanBatch | undefined {
    if (this.#reports.length === 0 && this.#jobs.length === 0) return undefined;
    const names = new Uint8Array(this.#names.length);
    Buffer.from(names.buffer).write(this.#names, 'latin1');
    const batch: ScanBatch = {
      reports: Float64Array.from(this.#reports),
      stamps: BigInt64Array.from(this.#stamps),
      names,
      kinds: Uint8Array.from(this.#kinds),
      sizes: Float64Array.from(this.#sizes),
      ms: Float64Array.from(this.#ms),
      ns: Uint32Array.from(this.#ns),
      errnos: this.#errnos,
      failures: this.#failures,
      jobs: this.#jobs,
    };
    this.#reports = [];
    this.#stamps = [];
    this.#names = '';
    this.#kinds = [];
    this.#sizes = [];
    this.#ms = [];
    this.#ns = [];
    this.#errnos = [];
    this.#failures = [];
    this.#jobs = [];
    return batch;
  }

  #report(
    { what, token, identity, stamp, watched, stats }: Omit<Report, 'count' | 'errno'>,
    names: readonly ByteString[] = [],
    kinds: readonly number[] = [],
  ): void {
    const text = names.join('/');
    const flags = (watched ? watchedFlag : 0) | (stats ? statsFlag : 0);
    this.#reports.push(what, token, identity, flags, names.length, text.length);
    this.#stamps.push(stamp);
    this.#names += text;
    for (const kind of kinds) this.#kinds.push(kind);
  }
}
