import type { Logger } from '../log.ts';

/** A span's role: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

/** Names are those of OpenTelemetry's semantic conventions. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A piece of work on a request. */
export interface Span {
  /** Trace context of this span (traceparent.ts), for work on its behalf; its parent's when tracing is off. */
  readonly traceparent: string;
  /** Ends the span. The first call counts. */
  end(details?: {
    readonly name?: string;
    readonly attributes?: Attributes;
    readonly failed?: boolean;
  }): void;
}

export interface Tracer {
  /** @param parent a trace context; an invalid one begins a new trace */
  begin(name: string, kind: SpanKind, parent: string, attributes?: Attributes): Span;
  /** Sends the spans that are left. Returns false when it gave up: they are lost, though a retry may still be waiting. */
  stop(): Promise<boolean>;
}

export interface TracingOptions {
  /** Base URL of an OTLP/HTTP receiver. */
  readonly endpoint: string;
  /** `gateway`, `mserv1` */
  readonly process: string;
  readonly version?: string | undefined;
  readonly log: Logger;
}
