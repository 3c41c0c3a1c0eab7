import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { MetricsForbiddenError } from './health.errors.js';

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

/** Metrics tell much about an installation: loopback reads them, everybody else shows METRICS_TOKEN. */
@Injectable()
export class MetricsService {
  constructor(
    private readonly config: AppConfig,
    private readonly metrics: Metrics,
  ) {}

  /** @throws MetricsForbiddenError */
  async scrape(address: string, authorization: string | undefined): Promise<{ contentType: string; text: string }> {
    const { token } = this.config.metrics;
    const allowed = token === null ? LOOPBACK.test(address) : sameText(authorization ?? '', `Bearer ${token}`);
    if (!allowed) {
      throw new MetricsForbiddenError();
    }
    return { contentType: this.metrics.contentType, text: await this.metrics.render() };
  }
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
