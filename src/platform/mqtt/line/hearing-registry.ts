import { Injectable } from '@nestjs/common';
import { UPLINK_CHANNELS, type UplinkChannel } from '../../../contracts/mqtt.js';

/**
 * Canaries in a row that the broker took and this process did not hear. They come twice a second, and a broker that gives each
 * to a random one of the processes passes one by for ten seconds once in years.
 */
const SILENT_AFTER = 16;

/** What this process hears on each channel, against what the broker has taken there. */
@Injectable()
export class HearingRegistry {
  readonly #missed = new Map<UplinkChannel, number>();
  #missedInAll = 0;
  #onSilent: () => void = () => undefined;

  /** Sets what is done each time that as much as makes a silence was not heard. */
  onSilent(listener: () => void): void {
    this.#onSilent = listener;
  }

  /** A new connection: what was published before cannot be heard on it. */
  restart(): void {
    this.#missed.clear();
    this.#missedInAll = 0;
  }

  /** Something arrived. */
  heard(channel: UplinkChannel): void {
    this.#missed.set(channel, 0);
    this.#missedInAll = 0;
  }

  /** The broker has taken a canary. */
  published(channel: UplinkChannel): void {
    const missed = (this.#missed.get(channel) ?? 0) + 1;
    this.#missed.set(channel, missed);
    this.#missedInAll += 1;
    if (missed % SILENT_AFTER === 0 || this.#missedInAll % SILENT_AFTER === 0) {
      this.#onSilent();
    }
  }

  /** Channels on which nothing arrives although something is published. */
  get silent(): readonly UplinkChannel[] {
    return UPLINK_CHANNELS.filter(
      (channel) => this.#missedInAll >= SILENT_AFTER || (this.#missed.get(channel) ?? 0) >= SILENT_AFTER,
    );
  }
}
