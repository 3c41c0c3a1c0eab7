import { Injectable } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { within } from '../../shared/deadline.js';
import type { Birth } from './presence.types.js';

/** How long what follows a birth waits for it; a transaction has that limit, too. */
const PATIENCE_MS = 10_000;

/** A birth that is held back, because there were many. */
export interface HeldBirth {
  readonly birth: Birth;
  /** On the monotonic clock. */
  readonly receivedAt: number;
}

/** Births that this process has received and that are not in the database yet. */
@Injectable()
export class BirthRegistry {
  /** The newest birth of each device that is being recorded. */
  readonly #recording = new Map<string, Promise<void>>();
  #findHeld: (deviceId: string) => HeldBirth | undefined = () => undefined;

  constructor(private readonly clock: Clock) {}

  /** Sets how the birth of a device is found that is held back. */
  onFindHeld(find: (deviceId: string) => HeldBirth | undefined): void {
    this.#findHeld = find;
  }

  /** A birth is being recorded until this settles. */
  recording(deviceId: string, recorded: Promise<void>): void {
    const settled = recorded
      .catch(() => undefined)
      .finally(() => {
        if (this.#recording.get(deviceId) === settled) {
          this.#recording.delete(deviceId);
        }
      });
    this.#recording.set(deviceId, settled);
  }

  /**
   * Resolves when no birth of this device is being recorded, whatever became of it. What a device sends right behind its
   * birth overtakes it otherwise.
   */
  async recorded(deviceId: string): Promise<void> {
    const recorded = this.#recording.get(deviceId);
    if (recorded) {
      await within(PATIENCE_MS, recorded).catch(() => undefined);
    }
  }

  /** How many milliseconds ago a boot started, by its birth that is held back. It is not waited for: that takes seconds. */
  startedMsAgo(deviceId: string, boot: string): number | undefined {
    const held = this.#findHeld(deviceId);
    return held?.birth.boot === boot && held.birth.uptimeMs !== undefined
      ? held.birth.uptimeMs + this.clock.monotonic() - held.receivedAt
      : undefined;
  }
}
