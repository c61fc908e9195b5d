import type { Message, Options } from 'amqplib';
import { Status, toStatus } from '../status.ts';
import { readTraceContext, traceHeaders } from '../tracing/traceparent.ts';
import { decodeGrpcMessage, encodeGrpcMessage } from './grpc-message.ts';

/** A request in RabbitMQ. Its body is proto3 JSON, readable in the management UI. */
export interface WorkMessage {
  /** The solicitud's id: message_id and correlation_id. */
  readonly id: string;
  /** `archivos.v1.ListadoService/ListarArchivos` */
  readonly type: string;
  /** Proto3 JSON text of the request message. */
  readonly request: string;
  readonly replyTo: string;
  readonly requestId: string;
  /** Trace context (tracing/traceparent.ts). */
  readonly traceparent: string;
  /** Milliseconds since 1970 after which the answer is no longer needed, by the gateway's clock. A service does not judge it. */
  readonly expiresAt: number;
  /** 1 for the first publish. */
  readonly attempt: number;
  /** Random token of the ledger's row; the reply echoes it. */
  readonly replyToken: string;
}

/** Outcome of a request at its worker. */
export type WorkResult =
  /** The handler's answer, proto3 JSON text. */
  | { readonly kind: 'answer'; readonly response: string }
  /** The handler's own status. */
  | { readonly kind: 'status'; readonly code: Exclude<Status, 0>; readonly message: string }
  /** Not run: the request killed its consumer too often. */
  | { readonly kind: 'poison' };

export interface WorkReply {
  readonly id: string;
  readonly replyToken: string;
  /** Trace context of the work's span, if the worker sends one. */
  readonly traceparent?: string;
  readonly result: WorkResult;
}

export interface Encoded {
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

/** A message as it was delivered. */
export type Received = Pick<Message, 'content' | 'properties'>;

/** A message that is neither a request nor a reply. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

/** Value of `x-estado` in the reply to a request that was not run. */
const poison = 'fallida';

/** A message's `type`, `message_id` and so on. `timestamp` is in seconds, as AMQP has it; `x-vence` in milliseconds. */
export function encodeWork(work: WorkMessage): Encoded {
  return {
    content: Buffer.from(work.request),
    properties: {
      ...envelope(work.id),
      type: work.type,
      replyTo: work.replyTo,
      headers: {
        ...traceHeaders(work.traceparent),
        'x-request-id': work.requestId,
        'x-vence': work.expiresAt,
        'x-intento': work.attempt,
        'x-testigo': work.replyToken,
      },
    },
  };
}

/** Throws `MalformedMessageError`. The JSON of `request` is checked when it is parsed. */
export function decodeWork({ content, properties }: Received): WorkMessage {
  return {
    id: text(properties.messageId, 'message_id'),
    type: text(properties.type, 'type'),
    request: content.toString(),
    replyTo: text(properties.replyTo, 'reply_to'),
    requestId: text(properties.headers?.['x-request-id'], 'x-request-id'),
    traceparent: readTraceContext(
      text(properties.headers?.['traceparent'], 'traceparent'),
      properties.headers?.['tracestate'],
    ),
    expiresAt: integer(properties.headers?.['x-vence'], 'x-vence'),
    attempt: integer(properties.headers?.['x-intento'], 'x-intento'),
    replyToken: text(properties.headers?.['x-testigo'], 'x-testigo'),
  };
}

/** `grpc-status` and `grpc-message` are as in gRPC's trailers; a request that was not run has `x-estado` instead. */
export function encodeReply({ id, replyToken, traceparent, result }: WorkReply): Encoded {
  const reply = (content: string, headers: Record<string, string | number>): Encoded => ({
    content: Buffer.from(content),
    properties: {
      ...envelope(id),
      headers: { ...headers, 'x-testigo': replyToken, ...(traceparent && traceHeaders(traceparent)) },
    },
  });
  switch (result.kind) {
    case 'answer':
      return reply(result.response, { 'grpc-status': Status.OK });
    case 'status':
      return reply('', { 'grpc-status': result.code, 'grpc-message': encodeGrpcMessage(result.message) });
    case 'poison':
      return reply('', { 'x-estado': poison });
  }
}

/** Throws `MalformedMessageError`. */
export function decodeReply({ content, properties }: Received): WorkReply {
  const id = text(properties.correlationId, 'correlation_id');
  const replyToken = text(properties.headers?.['x-testigo'], 'x-testigo');
  const traceparent = readTraceContext(
    properties.headers?.['traceparent'],
    properties.headers?.['tracestate'],
  );
  return {
    id,
    replyToken,
    ...(traceparent && { traceparent }),
    result: resultOf(content, properties.headers ?? {}),
  };
}

function resultOf(content: Buffer, headers: Readonly<Record<string, unknown>>): WorkResult {
  if (headers['x-estado'] === poison) return { kind: 'poison' };
  const code = toStatus(integer(headers['grpc-status'], 'grpc-status'));
  if (code === Status.OK) return { kind: 'answer', response: content.toString() };
  const message = headers['grpc-message'];
  return { kind: 'status', code, message: typeof message === 'string' ? decodeGrpcMessage(message) : '' };
}

const envelope = (id: string): Options.Publish => ({
  contentType: 'application/json',
  persistent: true,
  messageId: id,
  correlationId: id,
  timestamp: Math.floor(Date.now() / 1000),
});

function text(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw new MalformedMessageError(`${name} is missing`);
  return value;
}

function integer(value: unknown, name: string): number {
  if (!Number.isSafeInteger(value)) throw new MalformedMessageError(`${name} is no integer`);
  return value as number;
}
