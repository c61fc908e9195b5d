import type { BuscarArchivosRequest } from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Clock } from '../../runtime/change-feed.ts';
import type { Protocol } from '../../runtime/workers/messages.ts';
import type { Unwatched } from '../crawl/unwatched.ts';

/** Settings of the index's worker. */
export interface IndexWorkerData {
  /** Absolute path of the folder that is indexed. */
  readonly root: string;
  /** File of the snapshot; undefined for none. */
  readonly snapshot: string | undefined;
  /** Folders watched at most; undefined for as many as the system allows. */
  readonly watches: number | undefined;
  /** Interval between two scans of the folders that cannot be watched. */
  readonly sweepMs: number;
}

export interface IndexProtocol extends Protocol {
  readonly requests: {
    /** The first request, once; gets no answer. */
    readonly begin: (data: IndexWorkerData) => void;
    /** Answers with the bytes of a `BuscarArchivosResponse`. */
    readonly search: (search: SearchRequest) => Uint8Array<ArrayBuffer>;
    /** Opens a stream of all entries that match. Answers like `next`. */
    readonly stream: (stream: StreamRequest) => Uint8Array<ArrayBuffer> | undefined;
    /** Answers with the bytes of a stream's next `TransmitirBusquedaResponse`; undefined after the last. */
    readonly next: (stream: number) => Uint8Array<ArrayBuffer> | undefined;
    /** Closes a stream before its end; gets no answer. */
    readonly close: (stream: number) => void;
    /** Answers once everything that had happened before is reported. */
    readonly settle: (nothing: undefined) => void;
  };
  readonly event: IndexEvent;
}

export interface SearchRequest {
  readonly request: BuscarArchivosRequest;
  readonly whenReady: boolean;
  readonly clock: Clock | undefined;
}

export interface StreamRequest {
  /** A number that the client gives once. */
  readonly stream: number;
  readonly request: BuscarArchivosRequest;
}

export type IndexEvent =
  /** Earlier answers may be outdated. `everything`: it is not known which entries changed. */
  | { readonly kind: 'changed'; readonly everything: boolean }
  | { readonly kind: 'unwatched'; readonly folders: readonly Unwatched[] }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn';
      readonly fields: Readonly<Record<string, unknown>>;
      readonly text: string;
    };
