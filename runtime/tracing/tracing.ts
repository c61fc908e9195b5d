import * as z from 'zod';
import type { Part } from '../lifecycle.ts';
import type { Attributes, Span, SpanKind, Tracer, TracingOptions } from './tracer.ts';

/** Variables of tracing, for `parseEnv`. The SDK reads the other `OTEL_*` itself. */
export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'expected http(s)://host:port of an OTLP/HTTP receiver' })
    .optional(),
};

/**
 * The process's tracer. It is global like the log: spans begin in many places, and passing it to all of them would
 * add nothing.
 */
let tracer: Tracer | undefined;

const nothing = (): void => undefined;

/** Begins a span. When tracing is off, returns the parent's traceparent and does no work. */
export function beginSpan(name: string, kind: SpanKind, parent: string, attributes?: Attributes): Span {
  return tracer === undefined
    ? { traceparent: parent, end: nothing }
    : tracer.begin(name, kind, parent, attributes);
}

export function isTracing(): boolean {
  return tracer !== undefined;
}

/**
 * Turns tracing on and loads the SDK, which is loaded nowhere else. Returns a part that sends the last spans; it must
 * be stopped after all parts that make spans.
 */
export async function startTracing(options: TracingOptions): Promise<Part> {
  const { createOtlpTracer } = await import('./otlp-tracer.ts');
  const started = createOtlpTracer(options);
  tracer = started;
  let abandoned = false;
  return {
    name: 'tracing',
    start: async () => undefined,
    stop: async () => {
      abandoned = !(await started.stop());
    },
    get abandoned() {
      return abandoned;
    },
  };
}
