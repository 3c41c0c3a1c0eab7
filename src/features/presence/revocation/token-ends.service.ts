import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import type { LinkKind } from '../../../contracts/devices.js';
import { deviceTopic } from '../../../contracts/mqtt.js';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { newContext, runInContext } from '../../../platform/context/request-context.js';
import { EndedTokenRegistry } from '../../../platform/mqtt/limits/ended-token-registry.js';
import { RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { inBackground } from '../../../platform/process/faults.js';
import { Clock } from '../../../shared/clock.js';
import { HeartbeatBuffer } from '../heartbeat-buffer.js';
import { PresenceService } from '../presence.service.js';
import { LinkRevocationService } from './link-revocation.service.js';

/** A device that has a new token connects again at once, and is not shown offline in between. */
const BACK_WITHIN_MS = 400;
/** Links closed at a time: each takes a connection to the database. */
const MAX_PARALLEL = 2;
const MAX_WAITING = 50_000;

/** A connection that was ended, because its token is not valid any more. */
export interface EndedConnection {
  readonly deviceId: string;
  readonly link: LinkKind;
  /** Whether the device is connected to this process again, with a token that is valid. */
  readonly isBack: () => boolean;
  /** Of the birth on that connection; left out where it is not known. */
  readonly boot?: string;
  /** On the monotonic clock. */
  readonly bornAt?: number;
}

type HeldEnd = EndedConnection & { readonly endedAt: number };

/** Closes the links of connections that were ended for their tokens, which has no other sign: their wills are refused. */
@Injectable()
export class TokenEndsService implements OnModuleInit, BeforeApplicationShutdown {
  readonly #end = new AbortController();
  readonly #closings = new MicroBatcher<HeldEnd, undefined>({
    maxBatch: 1,
    connectsAs: 'line',
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: async (ends) => {
      await Promise.all(ends.map((end) => this.close(end)));
      return ends.map(() => undefined);
    },
  });

  constructor(
    private readonly links: LinkRevocationService,
    private readonly presence: PresenceService,
    private readonly heartbeats: HeartbeatBuffer,
    private readonly lines: EndedTokenRegistry,
    private readonly refusals: RejectedMessages,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.lines.onEnded((line) => {
      this.ended({ ...line, link: 'mqtt' });
    });
  }

  /** Closes the link soon. One that is left in error is closed by its silence, and one that is closed in error opened by a heartbeat. */
  ended(connection: EndedConnection): void {
    const end = { ...connection, endedAt: this.clock.monotonic() };
    inBackground(async () => {
      await delay(BACK_WITHIN_MS, undefined, { ref: false, signal: this.#end.signal }).catch(() => undefined);
      await this.#closings.submit(end).catch((error: unknown) => {
        this.refusals.message('internal_error', deviceTopic(end.deviceId, 'status'), { err: error });
      });
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#end.abort();
    await this.#closings.flush();
  }

  /** What that connection said before must not open the link again. */
  private async close({ deviceId, link, isBack, boot, bornAt, endedAt }: HeldEnd): Promise<void> {
    if (isBack()) {
      return;
    }
    await this.presence.births.recorded(deviceId);
    await this.heartbeats.flush();
    const now = this.clock.monotonic();
    const end = { boot, ageMs: now - endedAt, bornMsAgo: now - (bornAt ?? now) };
    await runInContext(newContext('system', 'system'), () => this.links.closeEnded(deviceId, link, { isBack, ...end }));
  }
}
