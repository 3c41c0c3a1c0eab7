import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import { inBackground } from '../../../platform/process/faults.js';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import type { SendOutcome } from '../channels/notification-transport.js';
import { composed } from './composed-message.js';
import { type LaneJob, type MessageAttempt, MessageAttemptsRepository } from './message-attempts.repository.js';
import { type JudgedMessage, MessageJudgeService } from './message-judge.service.js';
import { MessageSettlementService } from './message-settlement.service.js';
import { type AttemptedMessage, MessagePool } from './message-pool.js';

/** While something is under way, what is due is looked for so often. */
const LOOK_EVERY_MS = 100;
/** What was sent, and cannot be noted, is kept for so long: it would be sent again. */
const NOTE_WITHIN_MS = 10_000;

declare module '../../../contracts/jobs.js' {
  interface Jobs {
    /** Sends what is due over one channel, for a moment. Two of one lane run at once, and one that takes over from a lost worker. */
    send_notifications: LaneJob;
  }
}

/** Makes the attempts to send messages. An edge of the worker role. */
@Injectable()
export class MessageSenderService implements OnModuleInit {
  constructor(
    private readonly jobs: JobRegistry,
    private readonly attempts: MessageAttemptsRepository,
    private readonly judge: MessageJudgeService,
    private readonly channels: NotificationChannelRegistry,
    private readonly settlement: MessageSettlementService,
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(MessageSenderService.name);
  }

  onModuleInit(): void {
    this.jobs.register('send_notifications', { queue: 'notifications', everyMs: null }, (lane) => this.sendLane(lane));
  }

  private async sendLane(lane: LaneJob): Promise<void> {
    const pool = new MessagePool(this.attempts);
    try {
      let hasBegun = await this.begin(pool, lane);
      while (hasBegun || !pool.isEmpty) {
        const ended = await pool.nextEnded(LOOK_EVERY_MS);
        [hasBegun] = await Promise.all([this.begin(pool, lane), this.note(pool, ended)]);
      }
    } finally {
      pool.stop();
    }
  }

  /** Begins what is due, as far as there is room. @returns whether anything was */
  private async begin(pool: MessagePool, lane: LaneJob): Promise<boolean> {
    const room = pool.room;
    if (room === 0) {
      return false;
    }
    let begun: readonly MessageAttempt[] = [];
    try {
      const askedAtMs = performance.now();
      begun = await this.attempts.begin(lane, room);
      pool.hold(begun, askedAtMs);
      const judged = begun.length > 0 ? await this.judge.judge(begun) : [];
      const sendable = judged.filter(({ items, quietForMs }) => items.length > 0 && quietForMs === 0);
      const others = judged.filter((one) => !sendable.includes(one));
      await this.settlement.settleUnsent(others);
      pool.letGo(others.map(({ attempt }) => attempt));
      sendable.forEach((one) => {
        inBackground(() => this.sendIn(pool, one));
      });
      return begun.length > 0;
    } catch (error) {
      pool.letGo(begun);
      if (pool.isEmpty) {
        throw error;
      }
      this.logger.warn({ err: error }, 'No further notifications could be begun');
      return false;
    }
  }

  private async sendIn(pool: MessagePool, judged: JudgedMessage): Promise<void> {
    if (pool.holds(judged.attempt)) {
      pool.end({ judged, outcome: await this.send(judged) });
    } else {
      pool.letGo([judged.attempt]);
    }
  }

  private async note(pool: MessagePool, ended: readonly AttemptedMessage[]): Promise<void> {
    const until = performance.now() + NOTE_WITHIN_MS;
    for (;;) {
      try {
        await this.settlement.settle(ended);
        pool.letGoWritten(ended);
        return;
      } catch (error) {
        if (performance.now() > until) {
          throw error;
        }
        await pause(LOOK_EVERY_MS);
      }
    }
  }

  private async send(judged: JudgedMessage): Promise<SendOutcome> {
    const { id, channel } = judged.attempt;
    const failed = { sent: false, isPermanent: false, retryAfterMs: null } as const;
    try {
      const way = this.channels.get(channel);
      return way
        ? await way.send(composed(judged, this.config.http.publicUrl))
        : { ...failed, reason: 'channel_not_set_up' };
    } catch (error) {
      this.logger.error({ err: error, messageId: id, channel }, 'A notification could not be sent');
      return { ...failed, reason: 'internal' };
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
