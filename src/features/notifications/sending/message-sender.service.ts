import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import { inBackground } from '../../../platform/process/faults.js';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import type { SendOutcome } from '../channels/notification-transport.js';
import { composed } from './composed-message.js';
import { type MessageAttempt, MessageAttemptsRepository, type MessageLine } from './message-attempts.repository.js';
import { type JudgedMessage, MessageJudgeService } from './message-judge.service.js';
import { MessageSettlementService } from './message-settlement.service.js';

const RENEW_EVERY_MS = 500;
const BATCH = 20;
/** What is done is settled so often while others of the batch are still under way. */
const SETTLE_EVERY_MS = 100;
/** Then it is the turn of other lines. */
const SLICE_MS = 3_000;

declare module '../../../contracts/jobs.js' {
  interface Jobs {
    /** Sends what is due over one channel, for a moment. Two of one line run at once, at most. */
    send_notifications: MessageLine;
  }
}

/** A message that was sent, or not. */
export interface AttemptedMessage {
  readonly judged: JudgedMessage;
  readonly outcome: SendOutcome;
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
    this.jobs.register('send_notifications', { queue: 'notifications', everyMs: null }, (line) => this.sendLine(line));
  }

  private async sendLine(line: MessageLine): Promise<void> {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const begun = await this.attempts.begin(line, BATCH);
      if (begun.length === 0) {
        return;
      }
      await this.sendAll(begun);
    }
  }

  private async sendAll(begun: readonly MessageAttempt[]): Promise<void> {
    const underWay = new Map(begun.map((attempt) => [attempt.id, attempt]));
    const renewal = setInterval(() => {
      inBackground(() => this.attempts.renew([...underWay.values()]));
    }, RENEW_EVERY_MS);
    try {
      const judged = await this.judge.judge(begun);
      const sendable = judged.filter(({ items, quietForMs }) => items.length > 0 && quietForMs === 0);
      const others = judged.filter((one) => !sendable.includes(one));
      await this.settlement.settleUnsent(others);
      others.forEach(({ attempt }) => underWay.delete(attempt.id));
      await this.sendEach(sendable, underWay);
    } finally {
      clearInterval(renewal);
    }
  }

  /** In parallel. What is done is settled together, and does not wait for one that takes long. */
  private async sendEach(sendable: readonly JudgedMessage[], underWay: Map<string, MessageAttempt>): Promise<void> {
    const done: AttemptedMessage[] = [];
    const all = Promise.all(
      sendable.map(async (judged) => {
        done.push({ judged, outcome: await this.send(judged) });
      }),
    );
    let isOver = false;
    inBackground(async () => {
      await all;
      isOver = true;
    });
    const settleDone = async (): Promise<void> => {
      const ended = done.splice(0);
      await this.settlement.settle(ended);
      ended.forEach(({ judged }) => underWay.delete(judged.attempt.id));
    };
    // It changes while this waits.
    while (!(isOver as boolean)) {
      await Promise.race([all, pause(SETTLE_EVERY_MS)]);
      await settleDone();
    }
    await settleDone();
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
