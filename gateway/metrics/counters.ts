import type { Family, Sample } from './family.ts';

/** Between labels: no name, route or code has it. */
const separator = '\n';

/** Names with values of their own: a counter for each combination of labels. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(name: string, help: string, labels: readonly string[]) {
    this.#name = name;
    this.#help = help;
    this.#labels = labels;
  }

  /** Tells of a combination before it has happened: Prometheus sees no increase in what begins with 1. */
  declare(...values: readonly string[]): void {
    this.#counts.set(values.join(separator), 0);
  }

  add(...values: readonly string[]): void {
    const key = values.join(separator);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  family(): Family {
    const values = [...this.#counts].map(([key, value]) => ({ labels: labelsOf(this.#labels, key), value }));
    return { name: this.#name, help: this.#help, type: 'counter', values };
  }
}

/** Upper bounds in seconds: from what a cache gives to what a deadline allows. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

interface Series {
  /** Below each bound but not below the one before; the last is for all that is longer. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram of durations for each combination of labels. prom-client's own takes three times as long for an observation (it
 * puts the labels in order and together every time), and with this one it need not be loaded until somebody scrapes.
 */
export class Durations {
  readonly #name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, labels: readonly string[]) {
    this.#name = name;
    this.#help = help;
    this.#labels = labels;
  }

  /** @param key the labels' values, put together by `keyOf` */
  observe(key: string, seconds: number): void {
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { counts: new Float64Array(bounds.length + 1), sum: 0 };
      this.#series.set(key, series);
    }
    let at = 0;
    while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
    series.sum += seconds;
  }

  family(): Family {
    const values = [...this.#series].flatMap(([key, series]) => this.#samples(key, series));
    return { name: this.#name, help: this.#help, type: 'histogram', values };
  }

  #samples(key: string, { counts, sum }: Series): readonly Sample[] {
    const labels = labelsOf(this.#labels, key);
    let soFar = 0;
    const buckets = [...counts].map((count, at) => {
      soFar += count;
      const le = String(bounds[at] ?? '+Inf');
      return { metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: soFar };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: soFar },
    ];
  }
}

export function keyOf(...values: readonly string[]): string {
  return values.join(separator);
}

function labelsOf(names: readonly string[], key: string): Record<string, string> {
  const values = key.split(separator);
  return Object.fromEntries(names.map((name, at) => [name, values[at] ?? '']));
}
