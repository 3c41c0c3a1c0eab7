import { Injectable } from '@nestjs/common';
import { MeasurementCache } from './measurement-cache.js';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a cache hit to a request that is about to be given up. */
const LATENCY_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Sums of metrics that are there by type. `_total` is for counters, and these are none. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** One gauge of a measurement. */
export interface MeasuredGauge<T> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Its values, by labels where it has some. */
  readonly samples: (measured: T) => readonly (readonly [value: number, labels?: Readonly<Record<string, string>>])[];
}

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
    MISNAMED.forEach((name) => {
      this.#registry.removeSingleMetric(name);
    });
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
    collect: (gauge: Gauge<L>) => void | Promise<void> = () => undefined,
  ): Gauge<L> {
    return (
      (this.existing(name) as Gauge<L> | undefined) ??
      new Gauge({
        name,
        help,
        labelNames,
        registers: [this.#registry],
        collect() {
          return collect(this);
        },
      })
    );
  }

  /**
   * Gauges of one measurement, which asks a database or another service when metrics are read: rarely, and for a bounded time.
   * What is not known is absent, as Prometheus wants it.
   */
  measured<T>(measure: () => Promise<T>, gauges: readonly MeasuredGauge<T>[]): void {
    const cache = new MeasurementCache(measure);
    for (const { name, help, labelNames = [], samples } of gauges) {
      this.gauge<string>(name, help, labelNames, async (gauge) => {
        const measured = await cache.read();
        gauge.reset();
        gauge.remove(...labelNames.map(() => ''));
        const known = measured === undefined ? [] : samples(measured);
        known.forEach(([value, labels = {}]) => {
          gauge.set(labels, value);
        });
      });
    }
  }

  /** The sum of the series of a metric; 0 where there is none. */
  async total(name: string): Promise<number> {
    const { values } = (await this.#registry.getSingleMetric(name)?.get()) ?? { values: [] };
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  /** The names of all metrics. */
  names(): readonly string[] {
    return this.#registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** A histogram of seconds. @param buckets their upper bounds, where these are other than those of requests */
  latency<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets: readonly number[] = LATENCY_BUCKETS,
  ): Histogram<L> {
    return (
      (this.existing(name) as Histogram<L> | undefined) ??
      new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [this.#registry] })
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
