/** A span's role: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

/** Names are those of OpenTelemetry's semantic conventions. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** A piece of work on a request. */
export interface Span {
  /** Of this span, for what is done on its behalf; that of its parent where nothing is traced. */
  readonly traceparent: string;
  /** May be called twice; the first one counts. */
  end(told?: { readonly name?: string; readonly attributes?: Attributes; readonly failed?: boolean }): void;
}

export interface Tracer {
  /** @param parent W3C traceparent; what is none begins a trace */
  begin(name: string, kind: SpanKind, parent: string, attributes?: Attributes): Span;
  /** Sends what has not been sent yet. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  /** Base URL of an OTLP/HTTP receiver. */
  readonly endpoint: string;
  /** `gateway`, `mserv1` */
  readonly process: string;
  readonly version?: string | undefined;
}
