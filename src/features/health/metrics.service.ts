import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { bearerTokenOf } from '../../platform/auth/bearer-token.js';
import { Metrics } from '../../platform/metrics/metrics.js';
import { MetricsForbiddenError } from './health.errors.js';
import { HealthService } from './health.service.js';

/** Headers that proxies add. A request through a proxy on this machine comes from elsewhere. */
const FORWARDING = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

/** The client that reads the metrics: the other end of the connection, and its headers. */
export interface Scraper {
  readonly peer: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Serves metrics to loopback, or to holders of METRICS_TOKEN where it is set: they reveal much about an installation. */
@Injectable()
export class MetricsService {
  constructor(
    private readonly config: AppConfig,
    private readonly metrics: Metrics,
    health: HealthService,
  ) {
    const { version, commit } = config.build;
    metrics
      .gauge('mortise_build_info', 'What runs here: always 1', ['version', 'node', 'commit'])
      .set({ version, commit, node: process.version }, 1);
    metrics.gauge(
      'mortise_dependency_up',
      '1 while a line of /api/health is up, 0 while it is degraded or down',
      ['dependency'],
      async (gauge) => {
        const { details } = await health.report();
        Object.entries(details).forEach(([dependency, { status }]) => {
          gauge.set({ dependency }, status === 'up' ? 1 : 0);
        });
      },
    );
  }

  /** @throws MetricsForbiddenError */
  async scrape(scraper: Scraper): Promise<{ contentType: string; text: string }> {
    const { token } = this.config.metrics;
    const allowed = token === null ? isOnThisMachine(scraper) : sameText(tokenOf(scraper), token);
    if (!allowed) {
      throw new MetricsForbiddenError();
    }
    return { contentType: this.metrics.contentType, text: await this.metrics.render() };
  }
}

function isOnThisMachine({ peer = '', headers }: Scraper): boolean {
  return LOOPBACK.test(peer) && !FORWARDING.some((name) => name in headers);
}

function tokenOf({ headers: { authorization } }: Scraper): string {
  return bearerTokenOf(typeof authorization === 'string' ? authorization : undefined) ?? '';
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
