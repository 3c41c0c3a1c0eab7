import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { DeviceHeartbeat } from '../../../contracts/devices.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import type { WrittenHeartbeat } from '../../../contracts/signals.js';
import { LimitedLogger } from '../../../platform/logging/limited-logger.js';
import { inBackground } from '../../../platform/process/faults.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { roomsOfEvent } from '../../history/feed/feed-scope.types.js';
import { FeedAccessService, type Viewing } from '../../history/feed/feed-access.service.js';
import type { Verdict } from '../../history/feed/verdict.types.js';
import { DashboardPublisher } from './dashboard-publisher.js';

/** Devices whose newest heartbeat waits to be judged. What finds no room is not shown: the next one comes soon. */
const MAX_WAITING = 10_000;
/** Pairs of a heartbeat and a person in one question. */
const MAX_PAIRS = 5_000;

/** A heartbeat with those who listen where it is told. */
interface Routed {
  readonly beat: WrittenHeartbeat;
  readonly rooms: readonly FeedRoom[];
  readonly listeners: readonly string[];
}

/**
 * Shows dashboards the heartbeats of devices while they look: a hint, of which one may be lost, and no part of the log. Who
 * sees it is judged as for an event, by one question for all that arrived together. Where no one listens, nothing is asked.
 */
@Injectable()
export class HeartbeatPublisher implements OnApplicationBootstrap, OnModuleDestroy {
  /** By device. */
  readonly #waiting = new Map<string, WrittenHeartbeat>();
  #isBusy = false;
  #unsubscribe: (() => void) | undefined;
  readonly #log: LimitedLogger;

  constructor(
    private readonly signals: SignalBus,
    private readonly authorizer: FeedAccessService,
    private readonly dashboards: DashboardPublisher,
    logger: PinoLogger,
  ) {
    logger.setContext(HeartbeatPublisher.name);
    this.#log = new LimitedLogger(logger);
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('heartbeats_written', ({ beats }) => {
      this.receive(beats);
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }

  private receive(beats: readonly WrittenHeartbeat[]): void {
    for (const beat of beats) {
      const hasRoom = this.#waiting.size < MAX_WAITING || this.#waiting.has(beat.deviceId);
      if (hasRoom && this.route(beat).listeners.length > 0) {
        this.#waiting.set(beat.deviceId, beat);
      }
    }
    if (this.#waiting.size > 0 && !this.#isBusy) {
      inBackground(() => this.publish());
    }
  }

  private async publish(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.size > 0) {
      const routed = this.takeSome();
      try {
        await this.judgeAndSend(routed);
      } catch (error) {
        this.#log.warn('not_judged', { err: error, dropped: routed.length }, 'Heartbeats were not shown to dashboards');
      }
    }
    this.#isBusy = false;
  }

  /** As many as one question takes, with those who listen now. */
  private takeSome(): Routed[] {
    const routed: Routed[] = [];
    let pairs = 0;
    for (const beat of this.#waiting.values()) {
      const next = this.route(beat);
      pairs += next.listeners.length;
      if (routed.length > 0 && pairs > MAX_PAIRS) {
        break;
      }
      routed.push(next);
      this.#waiting.delete(beat.deviceId);
    }
    return routed;
  }

  private route(beat: WrittenHeartbeat): Routed {
    const rooms = roomsOfEvent(beat);
    return { beat, rooms, listeners: [...new Set(this.dashboards.listenersIn(rooms))] };
  }

  private async judgeAndSend(routed: readonly Routed[]): Promise<void> {
    const verdicts = await this.authorizer.verdictsOn(
      routed.map(({ beat, listeners }) => ({ event: viewedAs(beat), listeners })),
    );
    routed.forEach(({ beat, rooms }, index) => {
      this.dashboards.deliverHeartbeat(toHeartbeat(beat), rooms, verdicts[index] ?? new Map<string, Verdict>());
    });
  }
}

function viewedAs({ deviceId, userId, at }: WrittenHeartbeat): Viewing['event'] {
  return { type: 'device_heartbeat', deviceId, userId, occurredAt: at };
}

/** An explicit list, so that a new member is not shown by accident. */
function toHeartbeat({ deviceId, at, uptimeMs, battery, rssi, freeHeap }: WrittenHeartbeat): DeviceHeartbeat {
  return {
    deviceId,
    at,
    ...(uptimeMs !== undefined && { uptimeMs }),
    ...(battery !== undefined && { battery }),
    ...(rssi !== undefined && { rssi }),
    ...(freeHeap !== undefined && { freeHeap }),
  };
}
