/** One number, and what it is about. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Where it is not the family's: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
}

/** What Prometheus knows under one name; as prom-client's registry takes it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
}

/** Families of now. Whoever has something to tell gives one of these to `Metrics.add`; it is asked when somebody scrapes. */
export type Source = () => readonly Family[] | Promise<readonly Family[]>;

export function gauge(name: string, help: string, values: readonly Sample[]): Family {
  return { name, help, type: 'gauge', values };
}
