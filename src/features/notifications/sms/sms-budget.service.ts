import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { type CountStanding, type SmsCharge, SmsCountsRepository } from './sms-counts.repository.js';

/** All text messages of a month. */
const ALL = 'segments';
/** The rest is for what is urgent. */
const SHARE_OF_OTHERS = 0.9;
/** Who makes accounts to have codes sent silences no alarm. */
const SHARE_OF_CODES = 0.5;
/** Operators are told when so many percent are used: once each in a month. */
const TOLD_AT = [100, 80] as const;

/** A text message that is about to be sent. */
export interface CountedSms {
  /** The same in each attempt. */
  readonly id: string;
  readonly userId: string;
  readonly segments: number;
  readonly purpose: 'urgent' | 'other' | 'code';
}

/** Whether there is room for something; if not, when there will be. */
export type Admission = { readonly isAdmitted: true } | { readonly isAdmitted: false; readonly retryAfterS: number };

/**
 * The budget of text messages: segments in a calendar month, of the installation and of each person. What is to be sent is put into it
 * before, in PostgreSQL, where the locks on its rows make it exact for any number of processes.
 */
@Injectable()
export class SmsBudgetService {
  constructor(
    private readonly counts: SmsCountsRepository,
    private readonly transactions: Transactions,
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(SmsBudgetService.name);
  }

  /** Takes its segments of the budget; of a message that is there already, nothing. */
  reserve(sms: CountedSms): Promise<Admission> {
    const charges = this.chargesOf(sms);
    const subjects = charges.map(({ subject }) => subject);
    return this.transactions.run(async () => {
      if (!(await this.counts.reserve(sms.id, subjects, sms.segments))) {
        return { isAdmitted: true };
      }
      const admission = await this.charge(charges);
      if (!admission.isAdmitted) {
        await this.counts.unreserve(sms.id);
      }
      return admission;
    });
  }

  /** Takes all of these, or nothing. In the surrounding transaction. */
  async charge(charges: readonly SmsCharge[]): Promise<Admission> {
    const standings = await this.counts.add(charges);
    const over = standings.filter(({ subject, used }) => used > limitOf(charges, subject));
    const [all] = standings.filter(({ subject }) => subject === ALL);
    if (all) {
      await this.tellOf(all);
    }
    if (over.length === 0) {
      return { isAdmitted: true };
    }
    await this.counts.takeBack(charges);
    return { isAdmitted: false, retryAfterS: Math.max(...over.map(({ endsInS }) => endsInS)) };
  }

  /** The provider refused it. */
  giveBack(id: string): Promise<void> {
    return this.counts.giveBack(id);
  }

  /** Segments of this month, and how many there may be. */
  async standing(): Promise<{ used: number; budget: number }> {
    return { used: await this.counts.usedOf(ALL), budget: this.config.sms.budget.ofAll };
  }

  private chargesOf({ userId, segments: amount, purpose }: CountedSms): SmsCharge[] {
    const { ofAll, perPerson } = this.config.sms.budget;
    const share = purpose === 'urgent' ? 1 : SHARE_OF_OTHERS;
    const charge = (subject: string, limit: number): SmsCharge => ({ subject, period: 'month', amount, limit });
    return [
      charge(ALL, Math.floor(ofAll * share)),
      charge(`${ALL} of ${userId}`, Math.floor(perPerson * share)),
      ...(purpose === 'code' ? [charge(`${ALL} of codes`, Math.floor(ofAll * SHARE_OF_CODES))] : []),
    ];
  }

  /** Also of one for which there is no room any more: then as good as all is used. */
  private async tellOf({ used, told }: CountStanding): Promise<void> {
    const { ofAll } = this.config.sms.budget;
    const reached = TOLD_AT.find((percent) => used * 100 >= percent * ofAll);
    if (reached === undefined || reached <= told) {
      return;
    }
    await this.counts.tell(ALL, reached);
    this.transactions.afterCommit(() => {
      this.logger.warn({ percent: reached, budget: ofAll }, TOLD[reached]);
    });
  }
}

const TOLD: Readonly<Record<(typeof TOLD_AT)[number], string>> = {
  80: 'Four fifths of the text messages of this month are used: the last tenth is kept for urgent ones (SMS_MONTHLY_BUDGET)',
  100: 'The text messages of this month are used: nothing more is sent by SMS until it ends (SMS_MONTHLY_BUDGET)',
};

function limitOf(charges: readonly SmsCharge[], subject: string): number {
  return charges.find((charge) => charge.subject === subject)?.limit ?? 0;
}
