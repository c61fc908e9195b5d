import * as z from 'zod';

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

/** For the configuration of every process; made for `parseEnv`. The exporter reads the other `OTEL_EXPORTER_OTLP_*` itself. */
export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'expected http(s)://host:port of an OTLP/HTTP receiver' })
    .optional(),
};

/** One for the process, as its log is: a span is begun in many places, and passing it to all of them would say nothing. */
let tracer: Tracer | undefined;

const nothing = (): void => undefined;

/** Begins a span. Where nothing is traced, that is the parent's traceparent and no work. */
export function beginSpan(name: string, kind: SpanKind, parent: string, attributes?: Attributes): Span {
  return tracer === undefined
    ? { traceparent: parent, end: nothing }
    : tracer.begin(name, kind, parent, attributes);
}

export function isTracing(): boolean {
  return tracer !== undefined;
}

/**
 * Traces this process from now on. The SDK is loaded here and by nobody else. Gives what sends the last spans, to be stopped
 * after all that makes some.
 */
export async function startTracing(options: TracingOptions) {
  const { createOtlpTracer } = await import('./otlp-tracer.ts');
  const started = createOtlpTracer(options);
  tracer = started;
  return {
    name: 'tracing',
    start: async () => undefined,
    stop: () => started.stop(),
  };
}
