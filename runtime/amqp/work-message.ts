import type { Options } from 'amqplib';
import type { Status } from '../status.ts';

/** A request on its way through RabbitMQ. Its body is proto3 JSON, so that people can read it in the management UI. */
export interface WorkMessage {
  /** The solicitud's id: message_id and correlation_id. */
  readonly id: string;
  /** `archivos.v1.ListadoService/ListarArchivos` */
  readonly type: string;
  /** Proto3 JSON text of the request message. */
  readonly request: string;
  readonly replyTo: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** Milliseconds since 1970 after which nobody waits for the answer any more. */
  readonly expiresAt: number;
  /** 1 for the first publish. */
  readonly attempt: number;
  /** Random per row of the ledger; the reply echoes it. */
  readonly witness: string;
}

/** What the worker did with a request. */
export type WorkResult =
  /** The handler's answer, proto3 JSON text. */
  | { readonly kind: 'answer'; readonly response: string }
  /** The handler's own status. */
  | { readonly kind: 'status'; readonly code: Exclude<Status, 0>; readonly message: string }
  /** Not run: its time was over. */
  | { readonly kind: 'expired' }
  /** Not run: it killed its consumer too often. */
  | { readonly kind: 'poison' };

export interface WorkReply {
  readonly id: string;
  readonly witness: string;
  readonly result: WorkResult;
}

export interface Encoded {
  readonly content: Buffer;
  readonly properties: Options.Publish;
}
