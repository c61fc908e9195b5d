import type { ByteString } from '../../filesystem/byte-string.ts';

/** Identifies a folder between the crawler and its scanners; never reused for another folder. */
export type FolderToken = number;

/** Kinds of reports. Reports come in the order of observation, so a later one is always more accurate. */
export const ReportKind = {
  /** All names of a folder as of its stamp, with or without stats. */
  LISTED: 0,
  /** The folder's mtime equals the target's stamp: its names have not changed. */
  SAME: 1,
  /** Some names of a folder, with stats. */
  LOOKED: 2,
  /** The folder cannot be read. */
  FAILED: 3,
  /** The folder must be scanned again. */
  UNSURE: 4,
} as const;
export type ReportKind = (typeof ReportKind)[keyof typeof ReportKind];

export interface Report {
  readonly kind: ReportKind;
  readonly token: FolderToken;
  /** The folder's device and inode in one number. */
  readonly identity: number;
  /** The folder's mtimeNs, read before its names. */
  readonly stamp: bigint;
  readonly watched: boolean;
  /** Whether `sizes`, `ms` and `ns` have a value for each name. */
  readonly stats: boolean;
  /** Number of names. */
  readonly count: number;
  /** The system's error code; `root` when the root is missing. */
  readonly errno: string;
}

/** An entry whose lstat failed: its size is NaN, and its kind comes from the folder. */
export interface EntryFailure {
  readonly token: FolderToken;
  readonly name: ByteString;
  readonly errno: string;
}

/** Numbers per report: kind, token, identity, flags, count of names, bytes of names. */
const fields = 6;
/** Above all nanoseconds of a millisecond. */
export const sharedBit = 1 << 20;
const slash = 0x2f;
const watchedFlag = 1;
const statsFlag = 2;

/** Many reports in one message, in columns: a million entries cross between threads in 0.1 s. */
export interface ScanBatch {
  readonly reports: Float64Array<ArrayBuffer>;
  readonly stamps: BigInt64Array<ArrayBuffer>;
  /** Names of all reports; the names of one report are separated by `/`. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** `Kind` of each name; 0 for an entry that is gone. */
  readonly kinds: Uint8Array<ArrayBuffer>;
  /** Size of each name with stats. A folder has its identity instead; NaN is a failure. */
  readonly sizes: Float64Array<ArrayBuffer>;
  /**
   * Date as milliseconds since 1970, rounded down, and the nanoseconds above them. `sharedBit` is added to those of a
   * file with another hard link.
   */
  readonly ms: Float64Array<ArrayBuffer>;
  readonly ns: Uint32Array<ArrayBuffer>;
  readonly errnos: readonly string[];
  readonly failures: readonly EntryFailure[];
  /** Jobs that end with this batch. */
  readonly jobs: readonly number[];
}

/** Range of a report's names in their batch: bytes, first name, first name with stats. */
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
    // Read one by one: destructuring a subarray costs more than all the rest.
    const kind = reports[at] as ReportKind;
    const flags = reports[at + 3] ?? 0;
    const count = reports[at + 4] ?? 0;
    const bytes = reports[at + 5] ?? 0;
    const stats = (flags & statsFlag) !== 0;
    yield {
      kind,
      token: reports[at + 1] ?? 0,
      identity: reports[at + 2] ?? 0,
      stamp: stamps[at / fields] ?? 0n,
      watched: (flags & watchedFlag) !== 0,
      stats,
      count,
      errno: kind === ReportKind.FAILED ? (errnos[failed] ?? '') : '',
      from,
      to: from + bytes,
      name,
      stat,
    };
    from += bytes;
    name += count;
    if (stats) stat += count;
    if (kind === ReportKind.FAILED) failed += 1;
  }
}

export function namesOf({ names }: ScanBatch, { from, to }: ReportRange): ByteString[] {
  if (from === to) return [];
  const { buffer, byteOffset } = names;
  return Buffer.from(buffer, byteOffset + from, to - from)
    .toString('latin1')
    .split('/') as ByteString[];
}

/** Returns the end of the name that begins at `from`, in a report's bytes up to `to`. */
export function endOfName(names: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) if (names[at] === slash) return at;
  return to;
}

/** Returns the buffers of a batch, for transfer. */
export function buffersOf({ reports, stamps, names, kinds, sizes, ms, ns }: ScanBatch): ArrayBuffer[] {
  return [reports, stamps, names, kinds, sizes, ms, ns].map(({ buffer }) => buffer);
}

/** Collects reports for one batch. */
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

  /** Adds a folder's names. Their stats are added by `stats`, one by one, before or after. */
  listed(
    report: Pick<Report, 'token' | 'identity' | 'stamp' | 'watched' | 'stats'>,
    names: readonly ByteString[],
    kinds: readonly number[],
  ): void {
    this.#report({ ...report, kind: ReportKind.LISTED }, names, kinds);
  }

  same(report: Pick<Report, 'token' | 'identity' | 'stamp' | 'watched'>): void {
    this.#report({ ...report, kind: ReportKind.SAME, stats: false });
  }

  looked(
    report: Pick<Report, 'token' | 'identity' | 'stamp'>,
    names: readonly ByteString[],
    kinds: readonly number[],
  ): void {
    this.#report({ ...report, kind: ReportKind.LOOKED, watched: true, stats: true }, names, kinds);
  }

  failed(token: FolderToken, errno: string): void {
    this.#report({
      token,
      kind: ReportKind.FAILED,
      identity: 0,
      stamp: 0n,
      watched: false,
      stats: false,
    });
    this.#errnos.push(errno);
  }

  unsure(token: FolderToken): void {
    this.#report({
      token,
      kind: ReportKind.UNSURE,
      identity: 0,
      stamp: 0n,
      watched: false,
      stats: false,
    });
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

  /** Returns the batch and begins a new one; undefined when there is nothing to send. */
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
    { kind, token, identity, stamp, watched, stats }: Omit<Report, 'count' | 'errno'>,
    names: readonly ByteString[] = [],
    kinds: readonly number[] = [],
  ): void {
    const text = names.join('/');
    const flags = (watched ? watchedFlag : 0) | (stats ? statsFlag : 0);
    this.#reports.push(kind, token, identity, flags, names.length, text.length);
    this.#stamps.push(stamp);
    this.#names += text;
    for (const kind of kinds) this.#kinds.push(kind);
  }
}
