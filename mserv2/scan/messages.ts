import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Protocol } from '../../runtime/workers/messages.ts';
import type { FolderToken, ScanBatch } from './batch.ts';

/** Folders to scan, in columns, because structured clone writes the keys of every object. */
export interface Targets {
  readonly tokens: readonly FolderToken[];
  /** Where they are below the root, with NUL between them. */
  readonly paths: string;
  /** The mtimeNs that each had when its names were last read, 0 for never. If it still has it, they need not be read again. */
  readonly stamps: BigInt64Array;
}

export type Command =
  | {
      readonly kind: 'scan';
      /** Told back when all targets have been reported. */
      readonly job: number;
      readonly targets: Targets;
      /** Whether to watch the folders, from before they are read. */
      readonly watch: boolean;
      /** Whether to make an lstat of every entry. */
      readonly stats: boolean;
      /** Whether others wait for it. */
      readonly urgent: boolean;
    }
  /** Folders that are gone from the index. */
  | { readonly kind: 'forget'; readonly tokens: readonly FolderToken[] }
  /** What comes next must be seen from the root as it is now. */
  | { readonly kind: 'refresh' }
  /** Answered once all that had happened before, in watched folders, has been reported. */
  | { readonly kind: 'sync'; readonly id: number }
  /** There is nothing more to do for now. */
  | { readonly kind: 'rest' };

export type Message =
  | { readonly kind: 'batch'; readonly batch: ScanBatch }
  | { readonly kind: 'synced'; readonly id: number }
  /** Something happened in a watched folder. What it was will be reported when it has been looked into. */
  | { readonly kind: 'noticed' }
  /** Events were lost: any folder that this scanner watched may have changed, and none is watched any more. */
  | { readonly kind: 'overflow' };

export interface ScanWorkerData {
  readonly root: string;
  /** Folders watched at most; undefined for as many as the system allows. */
  readonly watchLimit: number | undefined;
}

/** Both requests are sent without an answer; events arrive in the order in which things were seen. */
export interface ScanProtocol extends Protocol {
  readonly requests: {
    /** The first request, once. */
    readonly begin: (data: ScanWorkerData) => void;
    readonly command: (command: Command) => void;
  };
  readonly event: Message;
}

/** In the place of a system error: the root is not there. */
export const rootErrno = 'root';

export function pathsOf(targets: Targets): ByteString[] {
  return targets.paths.split('\0') as ByteString[];
}
