import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { KeyedMutex } from '../../../platform/batching/keyed-mutex.js';
import { type OutboundAnswer, OutboundClient } from '../../../platform/outbound/outbound-client.js';
import { OutboundError } from '../../../platform/outbound/outbound.errors.js';
import { inBackground } from '../../../platform/process/faults.js';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { Clock } from '../../../shared/clock.js';
import { signaturesOf, WebhookSecretsService } from '../endpoints/webhook-secrets.service.js';
import { type AttemptOutcome, type BegunAttempt, WebhookAttemptsRepository } from './webhook-attempts.repository.js';
import { retryAfterMs } from './webhook-schedule.js';
import { WebhookSettlementService } from './webhook-settlement.service.js';
import { WebhookViewService } from './webhook-view.service.js';

const RENEW_EVERY_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** Then it is the turn of other receivers. */
const SLICE_MS = 3_000;
/** Of the ten attempts that a process makes at once, one owner has four, at however many receivers. */
const SLOTS_OF_OWNER = 4;
/** So many of the ten go to endpoints that are not known to answer, of all owners together: more than one owner may take, and not all. */
const SLOTS_OF_STANDING = { failing: 3, new: 5, proven: Infinity } as const;
/** A receiver that refuses as fast as others take holds up none of them. */
const QUICK_MS = 500;
const GONE = 410;

declare module '../../../contracts/jobs.js' {
  interface Jobs {
    /** Sends what is due to one receiver, one after the other, for a moment. Two of one receiver run at once, at most. */
    send_webhooks: { readonly receiver: string };
  }
}

/** Makes the attempts to send deliveries. An edge of the worker role. */
@Injectable()
export class WebhookSenderService implements OnModuleInit {
  /** Attempts of this process. */
  readonly #running = new Set<BegunAttempt>();
  readonly #beginning = new KeyedMutex();

  constructor(
    private readonly jobs: JobRegistry,
    private readonly attempts: WebhookAttemptsRepository,
    private readonly view: WebhookViewService,
    private readonly secrets: WebhookSecretsService,
    private readonly outbound: OutboundClient,
    private readonly settlement: WebhookSettlementService,
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(WebhookSenderService.name);
  }

  onModuleInit(): void {
    this.jobs.register('send_webhooks', { queue: 'webhooks', everyMs: null }, ({ receiver }) => this.sendTo(receiver));
  }

  /** Gives its slot back after a slow attempt that failed: who does not answer holds up others for one attempt at a time. */
  private async sendTo(receiver: string): Promise<void> {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const attempt = await this.#beginning.run('', () => this.begin(receiver));
      if (!attempt || !(await this.finished(attempt))) {
        return;
      }
    }
  }

  /** One after the other, so that those that run are counted before the next one is chosen. */
  private async begin(receiver: string): Promise<BegunAttempt | null> {
    const running = [...this.#running];
    const owners = Map.groupBy(running, ownerOf);
    const standings = Map.groupBy(running, ({ standing }) => standing);
    const attempt = await this.attempts.begin(receiver, {
      owners: [...owners].filter(([, { length }]) => length >= SLOTS_OF_OWNER).map(([owner]) => owner),
      standings: [...standings].filter(([one, { length }]) => length >= SLOTS_OF_STANDING[one]).map(([one]) => one),
    });
    if (attempt) {
      this.#running.add(attempt);
    }
    return attempt;
  }

  private async finished(attempt: BegunAttempt): Promise<boolean> {
    try {
      return await this.make(attempt);
    } finally {
      this.#running.delete(attempt);
    }
  }

  /** @returns whether the receiver did not hold it up. */
  private async make(attempt: BegunAttempt): Promise<boolean> {
    const renewal = setInterval(() => {
      inBackground(() => this.attempts.renew(attempt));
    }, RENEW_EVERY_MS);
    try {
      if (!(await this.view.isSeen(attempt))) {
        await this.settlement.refuse(attempt);
        // Nothing was asked of the receiver.
        return true;
      }
      const { outcome, wishMs } = await this.post(attempt);
      if (outcome.error === null) {
        await this.settlement.deliver(attempt, outcome);
      } else {
        await this.settlement.postpone(attempt, outcome, { wishMs, isGone: outcome.status === GONE });
      }
      return outcome.error === null || outcome.durationMs < QUICK_MS;
    } finally {
      clearInterval(renewal);
    }
  }

  private async post(attempt: BegunAttempt): Promise<{ outcome: AttemptOutcome; wishMs: number | null }> {
    const began = performance.now();
    const elapsed = (): number => Math.round(performance.now() - began);
    try {
      const { status, headers } = await this.request(attempt);
      const isTaken = status >= 200 && status < 300;
      return {
        outcome: { status, error: isTaken ? null : 'http_status', durationMs: elapsed() },
        wishMs: retryAfterMs(headers['retry-after'], this.clock.now()),
      };
    } catch (error) {
      if (!(error instanceof OutboundError)) {
        this.logger.error({ err: error, webhookId: attempt.endpointId }, 'A webhook could not be sent');
      }
      const reason = error instanceof OutboundError && error.reason !== 'aborted' ? error.reason : 'internal';
      return { outcome: { status: null, error: reason, durationMs: elapsed() }, wishMs: null };
    }
  }

  private request({ id, endpointId, url, body, ...sealed }: BegunAttempt): Promise<OutboundAnswer> {
    const timestamp = Math.floor(this.clock.now() / 1_000);
    const secrets = [
      this.secrets.open(sealed.secret, endpointId, 'secret'),
      ...(sealed.previousSecret ? [this.secrets.open(sealed.previousSecret, endpointId, 'previous_secret')] : []),
    ];
    return this.outbound.send({
      url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signaturesOf(secrets, id, timestamp, body),
      },
      body,
      timeoutMs: TIMEOUT_MS,
    });
  }
}

function ownerOf({ userId, organizationId }: BegunAttempt): string {
  return userId ?? organizationId ?? '';
}
