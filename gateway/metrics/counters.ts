import type { Family, Sample } from './family.ts';

/** Separates label values. No name, route or code contains it. */
const separator = '\n';

/** A counter with one series per combination of labels. */
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

  /** Creates the series at 0: Prometheus sees no increase in a series that starts at 1. */
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

/** Upper bounds in seconds, from cached answers to the longest deadline. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

interface Series {
  /** Observations per bucket, not cumulative; the last bucket has no upper bound. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram of durations with one series per combination of labels. An observation by prom-client costs three times as
 * much, because it sorts and joins the labels each time; with this class it is loaded only at the first scrape.
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

  /** @param key the label values, joined by `keyOf` */
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
    let cumulative = 0;
    const buckets = [...counts].map((count, at) => {
      cumulative += count;
      const le = String(bounds[at] ?? '+Inf');
      return { metricName: `${this.#name}_bucket`, labels: { ...labels, le }, value: cumulative };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: sum },
      { metricName: `${this.#name}_count`, labels, value: cumulative },
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
