import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a cache hit to a request that is about to be given up. */
const LATENCY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type { Counter, Gauge, Histogram } from 'prom-client';

/**
 * The metrics of this process, in Prometheus' exposition format. Names follow its conventions: unit last, `_total` for
 * counters. Asking twice for a name gives the same metric.
 */
@Injectable()
export class Metrics {
  readonly #registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return (
      (this.existing(name) as Counter<L> | undefined) ??
      new Counter({ name, help, labelNames, registers: [this.#registry] })
    );
  }

  /** @param collect sets it whenever metrics are read, for what changes by itself */
  gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    collect: (gauge: Gauge<L>) => void = () => undefined,
  ): Gauge<L> {
    return (
      (this.existing(name) as Gauge<L> | undefined) ??
      new Gauge({
        name,
        help,
        labelNames,
        registers: [this.#registry],
        collect() {
          collect(this);
        },
      })
    );
  }

  /** A histogram of seconds. */
  latency<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Histogram<L> {
    return (
      (this.existing(name) as Histogram<L> | undefined) ??
      new Histogram({ name, help, labelNames, buckets: LATENCY_BUCKETS, registers: [this.#registry] })
    );
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, as Prometheus reads it. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  private existing(name: string): unknown {
    return this.#registry.getSingleMetric(name);
  }
}
