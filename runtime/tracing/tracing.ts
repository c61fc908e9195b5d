import * as z from 'zod';
import type { Attributes, Span, SpanKind, Tracer, TracingOptions } from './tracer.ts';

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
