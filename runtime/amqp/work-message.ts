import type { MessageProperties, Options } from 'amqplib';
import { toRequestId } from '../request-id.ts';
import { Status, toStatus } from '../status.ts';
import { readTraceContext, traceHeaders } from '../tracing/traceparent.ts';
import { decodeGrpcMessage, encodeGrpcMessage } from './grpc-message.ts';
import {
  decoded,
  integerOf,
  jsonTextOf,
  MalformedMessageError,
  type Received,
  textOf,
} from './message-fields.ts';

/**
 * A request in RabbitMQ, as docs/wire.md has it. Its body is proto3 JSON, readable in the management UI. A gateway fills in
 * all fields; other clients leave some out.
 */
export interface WorkMessage {
  /** The solicitud's id: message_id and correlation_id. */
  readonly id: string | undefined;
  /** `archivos.v1.ListadoService/ListarArchivos` */
  readonly type: string;
  /** Proto3 JSON text of the request message. */
  readonly request: string;
  readonly replyTo: string;
  readonly requestId: string;
  /** Trace context (tracing/traceparent.ts). */
  readonly traceparent: string;
  /** Milliseconds since 1970 after which the answer is no longer needed, by the gateway's clock. A service does not judge it. */
  readonly expiresAt: number | undefined;
  /** 1 for the first publish. */
  readonly attempt: number | undefined;
  /** Random token of the ledger's row; the reply echoes it. */
  readonly replyToken: string | undefined;
  /** The reason why the request cannot be run; the reply says so. */
  readonly problem?: string;
}

/** Outcome of a request at its worker. */
export type WorkResult =
  /** The handler's answer, proto3 JSON text. */
  | { readonly kind: 'answer'; readonly response: string }
  /** The handler's own status. */
  | { readonly kind: 'status'; readonly code: Exclude<Status, 0>; readonly message: string }
  /** Not run: the request killed its consumer too often. */
  | { readonly kind: 'poison' };

/** The request that a reply belongs to. */
export interface ReplyAddress {
  readonly id: string;
  readonly replyToken: string;
  /** Trace context of the work's span; empty if the worker sends none. */
  readonly traceparent: string;
}

export interface WorkReply extends Pick<WorkMessage, 'id' | 'replyToken'> {
  /** Trace context of the work's span. */
  readonly traceparent?: string;
  readonly result: WorkResult;
}

export interface Encoded {
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

/** Value of `x-estado` in the reply to a request that was not run. */
const poison = 'fallida';

/** `timestamp` is in seconds, as AMQP has it; `x-vence` in milliseconds. */
export function encodeWork(work: WorkMessage): Encoded {
  return {
    content: Buffer.from(work.request),
    properties: {
      ...envelope(work.id),
      type: work.type,
      replyTo: work.replyTo,
      headers: {
        ...(work.traceparent && traceHeaders(work.traceparent)),
        'x-request-id': work.requestId,
        'x-vence': work.expiresAt,
        'x-intento': work.attempt,
        'x-testigo': work.replyToken,
      },
    },
  };
}

/**
 * Decodes a request. A malformed one has a `problem`. Throws `MalformedMessageError` when no reply is possible, because
 * `reply_to` is missing or malformed.
 */
export function decodeWork(received: Received): WorkMessage {
  const { properties } = received;
  const headers = properties.headers ?? {};
  const replyTo = textOf(properties.replyTo, 'reply_to');
  const problems: string[] = [];
  function attempt<Value>(read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  }
  const work = {
    id: attempt(() => textOf(properties.correlationId ?? properties.messageId, 'correlation_id')),
    type: attempt(() => textOf(properties.type, 'type')) ?? '',
    request: attempt(() => requestOf(received)) ?? '',
    replyTo,
    requestId: toRequestId(decoded(headers['x-request-id'])),
    traceparent: traceContextOf(properties),
    expiresAt: wholeNumber(headers['x-vence']),
    attempt: wholeNumber(headers['x-intento']),
    replyToken: attempt(() => optionalText(headers['x-testigo'], 'x-testigo')),
  };
  return problems.length === 0 ? work : { ...work, problem: problems.join('; ') };
}

function requestOf(received: Received): string {
  const { contentEncoding } = received.properties;
  if (contentEncoding !== undefined)
    throw new MalformedMessageError(`content_encoding ${contentEncoding} is not known for requests`);
  return jsonTextOf(received);
}

function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : textOf(value, name);
}

/** Services pass these on and do not read them, so a malformed one is as good as none. */
function wholeNumber(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}

function traceContextOf({ headers }: MessageProperties): string {
  return readTraceContext(decoded(headers?.['traceparent']), decoded(headers?.['tracestate']));
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

/** Reads the request that a reply belongs to. Throws `MalformedMessageError`. */
export function decodeReplyAddress({ properties }: Received): ReplyAddress {
  return {
    id: textOf(properties.correlationId, 'correlation_id'),
    replyToken: textOf(properties.headers?.['x-testigo'], 'x-testigo'),
    traceparent: traceContextOf(properties),
  };
}

/** Reads a reply's result. Throws `MalformedMessageError`; the JSON of a response is checked when it is parsed. */
export function decodeResult(received: Received): WorkResult {
  const headers = received.properties.headers ?? {};
  if (decoded(headers['x-estado']) === poison) return { kind: 'poison' };
  const code = toStatus(integerOf(headers['grpc-status'], 'grpc-status'));
  if (code === Status.OK) return { kind: 'answer', response: jsonTextOf(received) };
  const message = decoded(headers['grpc-message']);
  return { kind: 'status', code, message: typeof message === 'string' ? decodeGrpcMessage(message) : '' };
}

const envelope = (id: string | undefined): Options.Publish => ({
  contentType: 'application/json',
  persistent: true,
  ...(id !== undefined && { messageId: id, correlationId: id }),
  timestamp: Math.floor(Date.now() / 1000),
});
