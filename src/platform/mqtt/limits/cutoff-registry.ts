import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { Clock } from '../../../shared/clock.js';
import { type Counter, Metrics } from '../../metrics/metrics.js';
import { SignalBus } from '../../redis/signal-bus.js';
import { STRIKES } from './device-limits.js';
import { TokenBucketLimiter } from './token-bucket-limiter.js';

const FIRST_CUT_MS = 60_000;
const LONGEST_CUT_MS = 3_600_000;
/** A device that behaved for so long after its last cut begins with a short one again. */
const FORGIVEN_AFTER_MS = 6 * 3_600_000;
const MAX_CUT = 10_000;

/** A device was cut. */
export interface Cutoff {
  readonly deviceId: string;
  /** The refusal that was one too many. */
  readonly code: string;
  readonly forMs: number;
}

/**
 * Which devices are cut: those that went on beyond their limits. Each cut is twice as long as the one before. Each process
 * counts for itself and tells the others whom it cut. Kept in memory: after a restart a device has a new chance.
 */
@Injectable()
export class CutoffRegistry implements OnModuleInit {
  readonly #strikes: TokenBucketLimiter;
  readonly #cuts = new Map<string, { readonly untilMs: number; readonly forMs: number }>();
  readonly #listeners: ((cutoff: Cutoff) => void)[] = [];
  readonly #counter: Counter<'code'>;

  constructor(
    config: AppConfig,
    private readonly clock: Clock,
    metrics: Metrics,
    private readonly signals: SignalBus,
  ) {
    const { perSecond, burst } = STRIKES;
    const scale = config.rateLimitScale;
    this.#strikes = new TokenBucketLimiter({ perSecond: perSecond * scale, burst: burst * scale }, () =>
      clock.monotonic(),
    );
    this.#counter = metrics.counter('mortise_mqtt_devices_cut_total', 'Devices that were cut off for a while', [
      'code',
    ]);
  }

  onModuleInit(): void {
    this.signals.on('device_cut', ({ deviceId, forMs }) => {
      if (!this.isCut(deviceId)) {
        this.remember(deviceId, forMs);
      }
    });
  }

  /** Calls `listener` when this process cuts a device. */
  onCut(listener: (cutoff: Cutoff) => void): void {
    this.#listeners.push(listener);
  }

  /** Holds something against a device, and cuts it when that is too much. */
  strike(deviceId: string, code: string, weight = 1): void {
    if (this.isCut(deviceId) || this.#strikes.take(deviceId, weight)) {
      return;
    }
    const now = this.clock.monotonic();
    const earlier = this.#cuts.get(deviceId);
    const forMs =
      earlier && now - earlier.untilMs < FORGIVEN_AFTER_MS ? Math.min(earlier.forMs * 2, LONGEST_CUT_MS) : FIRST_CUT_MS;
    this.remember(deviceId, forMs);
    this.#counter.inc({ code });
    this.signals.publish('device_cut', { deviceId, forMs });
    this.#listeners.forEach((listener) => {
      listener({ deviceId, code, forMs });
    });
  }

  isCut(deviceId: string): boolean {
    return this.remainingMs(deviceId) > 0;
  }

  /** For how long a device is still cut; 0 when it is not. */
  remainingMs(deviceId: string): number {
    return Math.max(0, (this.#cuts.get(deviceId)?.untilMs ?? 0) - this.clock.monotonic());
  }

  private remember(deviceId: string, forMs: number): void {
    this.#cuts.delete(deviceId);
    this.#cuts.set(deviceId, { untilMs: this.clock.monotonic() + forMs, forMs });
    if (this.#cuts.size > MAX_CUT) {
      this.#cuts.delete(this.#cuts.keys().next().value ?? '');
    }
    this.#strikes.reset(deviceId);
  }
}
