import type { FileErrorCode } from '../../filesystem/file-error.ts';
import type { BuscarArchivosRequest } from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Clock } from '../../runtime/change-feed.ts';
import type { Unwatched } from '../crawl/unwatched.ts';

/** What the index's thread begins with. */
export interface IndexWorkerData {
  /** Absolute path of the folder that is indexed. */
  readonly root: string;
  /** File of the snapshot; undefined for none. */
  readonly snapshot: string | undefined;
  /** How many folders are watched at most; undefined for as many as the system allows. */
  readonly watches: number | undefined;
  /** How often folders that cannot be watched are looked through. */
  readonly sweepMs: number;
}

export type Ask =
  /** The first thing that is said, once. */
  | { readonly kind: 'begin'; readonly data: IndexWorkerData }
  | {
      readonly kind: 'search';
      readonly id: number;
      readonly request: BuscarArchivosRequest;
      readonly whenReady: boolean;
      readonly clock: Clock | undefined;
    }
  /** The first message of all that matches. */
  | { readonly kind: 'stream'; readonly id: number; readonly request: BuscarArchivosRequest }
  /** The next message of a stream. */
  | { readonly kind: 'more'; readonly id: number }
  /** Nobody waits for the answer, or for the rest of the stream, any more. */
  | { readonly kind: 'abort'; readonly id: number }
  /** Answered, with nothing, once all is told that had happened before. */
  | { readonly kind: 'settle'; readonly id: number }
  /** Writes the snapshot, and ends. */
  | { readonly kind: 'stop' };

/** A FileError between threads: structured clone forgets its class. */
export interface Refusal {
  readonly code: FileErrorCode;
  readonly reason: string;
  readonly message: string;
}

export type Reply =
  /** A `BuscarArchivosResponse`, or a `TransmitirBusquedaResponse`, as the wire has it; undefined after the last one of a stream. */
  | { readonly kind: 'answer'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> | undefined }
  | { readonly kind: 'refused'; readonly id: number; readonly refusal: Refusal }
  /** The request was aborted, or a defect of ours: `error` says. */
  | { readonly kind: 'failed'; readonly id: number; readonly error: unknown }
  /** The answers of before may be wrong now. `todo`: nobody knows what changed. */
  | { readonly kind: 'news'; readonly todo: boolean }
  | { readonly kind: 'unwatched'; readonly folders: readonly Unwatched[] }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn';
      readonly fields: Readonly<Record<string, unknown>>;
      readonly text: string;
    };
