import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Protocol } from '../../runtime/workers/messages.ts';
import type { FolderToken, ScanBatch } from './batch.ts';

/** Folders to scan, in columns, because structured clone writes the keys of every object. */
export interface Targets {
  readonly tokens: readonly FolderToken[];
  /** Paths below the root, separated by NUL. */
  readonly paths: string;
  /**
   * mtimeNs of each folder when its names were last read, 0 for never. While it is the same, the names are not read
   * again.
   */
  readonly stamps: BigInt64Array;
}

export type Command =
  | {
      readonly kind: 'scan';
      /** Reported as done with the last target. */
      readonly job: number;
      readonly targets: Targets;
      /** Whether to watch the folders, before they are read. */
      readonly watch: boolean;
      /** Whether to make an lstat of every entry. */
      readonly stats: boolean;
      /** Whether searches may wait for it. */
      readonly urgent: boolean;
      /** Whether another folder may be in the place of one that is held open: then the scan begins at the root. */
      readonly anew: boolean;
    }
  /** Folders that have left the index. */
  | { readonly kind: 'forget'; readonly tokens: readonly FolderToken[] }
  /** Closes held folders and forgets what is known of devices: the next scan begins at the root as it is now. */
  | { readonly kind: 'refresh' }
  /** Answered with `synced` once all earlier events in watched folders are reported. */
  | { readonly kind: 'sync'; readonly id: number }
  /** There is nothing to do for now: the scanner collects its garbage. */
  | { readonly kind: 'rest' };

export type Message =
  | { readonly kind: 'batch'; readonly batch: ScanBatch }
  | { readonly kind: 'synced'; readonly id: number }
  /** An event in a watched folder. Its report follows once the scanner has looked. */
  | { readonly kind: 'noticed' }
  /**
   * Events were lost: any folder that this scanner watched may have changed, and none is watched any more.
   */
  | { readonly kind: 'overflow' };

export interface ScanWorkerData {
  readonly root: string;
  /** Folders watched at most; undefined for as many as the system allows. */
  readonly watchLimit: number | undefined;
}

/** Both requests are sent without an answer; events arrive in the order of observation. */
export interface ScanProtocol extends Protocol {
  readonly requests: {
    /** The first request, once. */
    readonly begin: (data: ScanWorkerData) => void;
    readonly command: (command: Command) => void;
  };
  readonly event: Message;
}

/** Stands for a system error code when the root is missing. */
export const rootErrno = 'root';

export function pathsOf(targets: Targets): ByteString[] {
  return targets.paths.split('\0') as ByteString[];
}
