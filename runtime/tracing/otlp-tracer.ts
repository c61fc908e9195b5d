import { createTraceState, SpanKind as Kind, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { within } from '../timeout.ts';
import { parseTraceContext, writeTraceContext } from './traceparent.ts';
import type { Attributes, SpanKind, Tracer, TracingOptions } from './tracer.ts';

const kinds: Readonly<Record<SpanKind, Kind>> = {
  server: Kind.SERVER,
  client: Kind.CLIENT,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
};

/** Time limit of one batch, retries included; later its spans are lost. */
const sendMs = 2_500;
/** Time limit of the last batch, which is sent only to a receiver that took the one before. */
const lastSendMs = 50;

/**
 * Sends spans to an OTLP/HTTP receiver, in batches and in the background. While the receiver is away, spans are lost
 * and nothing else. A parent that is not sampled has no spans here either. Spans are begun by hand: the SDK's
 * instrumentation patches modules as they are loaded.
 */
export function createOtlpTracer({ endpoint, process: name, version, log }: TracingOptions): Tracer {
  const receiver = new OTLPTraceExporter({
    // Some documents give the base URL, others the whole.
    url: `${endpoint.replace(/(?:\/v1\/traces)?\/*$/, '')}/v1/traces`,
    timeoutMillis: sendMs,
  });
  /** Whether the receiver took the last batch whose result is known. */
  let reached = true;
  const exporter: SpanExporter = {
    export: (spans, done) =>
      receiver.export(spans, (result) => {
        const { error } = result;
        if (reached && error !== undefined)
          log.warn(
            { reason: reasonOf(error) },
            'receiver of traces unavailable; spans are lost until it is back',
          );
        if (!reached && error === undefined) log.info('receiver of traces is back');
        reached = error === undefined;
        done(result);
      }),
    shutdown: () => receiver.shutdown(),
  };
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': `archivero-${name}`,
      'service.namespace': 'archivero',
      ...(version && { 'service.version': version }),
    }).merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, exportTimeoutMillis: sendMs }),
    ],
  });
  const tracer = provider.getTracer('archivero');

  return {
    begin: (spanName, kind, parent, attributes = {}) => {
      const context = parseTraceContext(parent);
      const above =
        context === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId: context.traceId,
              spanId: context.spanId,
              traceFlags: context.flags,
              traceState: createTraceState(context.tracestate),
              isRemote: true,
            });
      const options = { kind: kinds[kind], attributes: withoutUndefined(attributes) };
      const span = tracer.startSpan(spanName, options, above);
      const { traceId, spanId, traceFlags, traceState } = span.spanContext();
      return {
        traceparent: writeTraceContext(traceId, spanId, traceFlags, traceState?.serialize()),
        end: (details = {}) => {
          if (!span.isRecording()) return;
          if (details.name !== undefined) span.updateName(details.name);
          if (details.attributes !== undefined) span.setAttributes(withoutUndefined(details.attributes));
          if (details.failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    stop: async () => {
      if (!reached) return false;
      const sent = provider.shutdown().then(
        () => true,
        () => false,
      );
      return (await within(lastSendMs, sent)) ?? false;
    },
  };
}

/** A host name with several addresses fails with an AggregateError, which has a code and no message. */
function reasonOf(error: Error & { readonly code?: unknown }): string {
  return [error.code, error.message].filter(Boolean).join(' ');
}

function withoutUndefined(attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
