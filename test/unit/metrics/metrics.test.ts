import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import prom from 'prom-client';
import { Durations, keyOf } from '../../../gateway/metrics/counters.ts';
import { createMetrics } from '../../../gateway/metrics/metrics.ts';

describe('the metrics', () => {
  it('count durations as prom-client does', async () => {
    const observation = fc.record({
      route: fc.constantFrom('/a', '/b'),
      seconds: fc.oneof(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.constantFrom(0, 0.0005, 0.001, 60, 60.001),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(observation), async (observations) => {
        const ours = new Durations('d', 'durations', ['route']);
        const registry = new prom.Registry();
        const family = ours.family();
        const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
        const theirs = new prom.Histogram({
          name: family.name,
          help: family.help,
          labelNames: ['route'],
          buckets,
          registers: [registry],
        });
        for (const { route, seconds } of observations) {
          ours.observe(keyOf(route), seconds);
          theirs.observe({ route }, seconds);
        }
        const [expected] = await registry.getMetricsAsJSON();
        const plain = (values: readonly { metricName?: string; labels: object; value: number }[]) =>
          values.map(({ metricName, labels, value }) =>
            JSON.stringify([metricName, Object.entries(labels).map(String).toSorted(), value]),
          );
        expect(plain(ours.family().values)).to.have.members(
          plain(expected?.values as Parameters<typeof plain>[0]),
        );
      }),
    );
  });

  it('render every count, with quotes and backslashes in labels escaped', async () => {
    const metrics = createMetrics();
    metrics.requestBegins();
    metrics.requestBegins();
    metrics.requestEnds({ method: 'GET', route: '/x', status: 200, served: 'grpc', seconds: 0.003 });
    metrics.call('mserv1', 'a.B/C', 'OK', 0.2);
    metrics.fallback('mserv1', 'queued', 'dns_error');
    metrics.fallback('mserv1', 'queued', 'dns_error');
    metrics.replyDropped('witness');
    const more = {
      name: 'more',
      help: 'm',
      type: 'gauge',
      values: [{ labels: { a: '"\\' }, value: 7 }],
    } as const;
    metrics.add(() => [more]);
    for (const { type, text } of [await metrics.render(), await metrics.render()]) {
      expect(type).to.match(/^text\/plain; version=0\.0\.4/);
      const lines = text.split('\n');
      expect(lines).to.include.members([
        'archivero_http_request_duration_seconds_count{method="GET",route="/x",status="200",served="grpc"} 1',
        'archivero_http_request_duration_seconds_bucket{method="GET",route="/x",status="200",served="grpc",le="0.0025"} 0',
        'archivero_http_request_duration_seconds_bucket{method="GET",route="/x",status="200",served="grpc",le="0.005"} 1',
        'archivero_http_requests_in_flight 1',
        'archivero_rpc_duration_seconds_count{service="mserv1",rpc="a.B/C",code="OK"} 1',
        'archivero_fallbacks_total{service="mserv1",outcome="queued",reason="dns_error"} 2',
        'archivero_replies_dropped_total{reason="witness"} 1',
        // Prometheus sees the first increase only from a counter that begins at 0.
        'archivero_replies_dropped_total{reason="malformed"} 0',
        'more{a="\\"\\\\"} 7',
      ]);
      expect(text).to.match(/^nodejs_eventloop_lag_seconds /m);
    }
  });

  it('include every metric that the dashboard and the alerts use', () => {
    const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
    const defined = ['metrics/metrics', 'admin/state-metrics']
      .map((file) => read(`gateway/${file}.ts`))
      .join('');
    const queries = ['deploy/grafana/archivero.json', 'deploy/prometheus/alerts.yml'].map(read).join('');
    const names = [...queries.matchAll(/\barchivero_[a-z_]+/g)].map(([name]) =>
      name.replace(/(?<=_seconds)_(?:bucket|count|sum)$/, ''),
    );
    expect(names.length).to.be.above(20);
    expect([...new Set(names)].filter((name) => !defined.includes(`'${name}'`))).to.deep.equal([]);
  });
});
