import { Injectable } from '@nestjs/common';
import type { MqttClient } from 'mqtt';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../../shared/clock.js';
import { type Counter, Metrics } from '../../metrics/metrics.js';

/** Reason code of the DISCONNECT to a client whose id another one has come with (MQTT 5, 3.14.2.1). */
const SESSION_TAKEN_OVER = 0x8e;
/** Shorter than our own patience with a broker that does not acknowledge: it is not we who end such a connection. */
const ENDS_AT_ONCE_MS = 2_000;
/** Of the canary it is known for what: it may not publish there, which is a reason of its own. */
const ENDS_FOR_OTHER_REASONS = 'canary';
/** So many connections in a row may end at once because a broker starts, or stops. */
const FORGIVEN_ENDS = 4;
/** One takeover may be a broker's idea of a connection that it lost: as many within a minute are a loop. */
const LOOP_OF = 3;
const LOOP_WITHIN_MS = 60_000;
const LOGGED_EVERY_MS = 60_000;

type Sign = 'session_taken_over' | 'ends_at_once';

/** A connection of ours that the broker ends as often as it is made. */
export interface EvictionLoop {
  readonly connection: string;
  readonly sign: Sign;
}

/**
 * Notices that the broker ends connections of ours again and again for the sake of others. With MQTT 5 it may say that another
 * client has the same id; a broker that does not (Mosquitto 2.0.11) is known by connections that end as soon as they stand. Our ids
 * are random, so this is a broker that puts the name of the account in their place: then the connections of a process push out
 * each other, every tenth of a second, and the line looks connected whenever it is asked.
 */
@Injectable()
export class EvictionRegistry {
  readonly #counter: Counter<'connection' | 'sign'>;
  /** Connections in a row that ended at once. */
  readonly #ended = new Map<string, number>();
  readonly #recent: (EvictionLoop & { readonly at: number })[] = [];
  #loggedAt = -Infinity;
  #unlogged = 0;

  constructor(
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(EvictionRegistry.name);
    this.#counter = metrics.counter(
      'mortise_mqtt_evictions_total',
      'Connections of this process that its broker ended for another one of the same client id, or as soon as they stood',
      ['connection', 'sign'],
    );
  }

  /** @param connection what it is for: a process has one of each kind at a time. */
  watch(connection: string, client: Pick<MqttClient, 'on' | 'disconnecting'>): void {
    let connectedAt: number | null = null;
    let isTakenOver = false;
    client.on('connect', () => {
      connectedAt = this.clock.monotonic();
      isTakenOver = false;
    });
    client.on('disconnect', ({ reasonCode }) => {
      isTakenOver = reasonCode === SESSION_TAKEN_OVER;
    });
    client.on('close', () => {
      if (connectedAt !== null && !client.disconnecting) {
        this.ended(connection, this.clock.monotonic() - connectedAt, isTakenOver);
      }
      connectedAt = null;
    });
  }

  /** Null while the broker leaves our connections alone. */
  get loop(): EvictionLoop | null {
    const first = this.#recent.at(-LOOP_OF);
    const last = this.#recent.at(-1);
    return first && last && this.clock.monotonic() - first.at < LOOP_WITHIN_MS ? last : null;
  }

  private ended(connection: string, livedMs: number, isTakenOver: boolean): void {
    const inRow = livedMs < ENDS_AT_ONCE_MS ? (this.#ended.get(connection) ?? 0) + 1 : 0;
    this.#ended.set(connection, inRow);
    if (isTakenOver) {
      this.evicted({ connection, sign: 'session_taken_over' });
    } else if (inRow > FORGIVEN_ENDS && connection !== ENDS_FOR_OTHER_REASONS) {
      this.evicted({ connection, sign: 'ends_at_once' });
    }
  }

  private evicted(eviction: EvictionLoop): void {
    this.#counter.inc({ connection: eviction.connection, sign: eviction.sign });
    this.#recent.push({ ...eviction, at: this.clock.monotonic() });
    this.#recent.splice(0, this.#recent.length - LOOP_OF);
    this.#unlogged += 1;
    if (this.loop && this.clock.monotonic() - this.#loggedAt >= LOGGED_EVERY_MS) {
      this.#loggedAt = this.clock.monotonic();
      this.logger.error(
        { ...eviction, evictions: this.#unlogged },
        'The broker ends connections of this process for others of the same client id. If MQTT_URL names a listener that takes ' +
          'the username for the client id, as for devices, name one that does not; see docs/operations.md',
      );
      this.#unlogged = 0;
    }
  }
}
