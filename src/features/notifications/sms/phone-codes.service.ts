import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { SmsClient, type SmsOutcome } from '../../../platform/sms/sms-client.js';
import { newId } from '../../../shared/ids.js';
import { segmentsOf } from '../domain/sms-text.js';
import {
  NoTextMessagesError,
  PhoneCodeNotSentError,
  PhoneCodeQuotaError,
  PhoneNumberRefusedError,
} from '../notifications.errors.js';
import { EffectivePreferencesService } from '../preferences/effective-preferences.service.js';
import { SmsBudgetService } from './sms-budget.service.js';
import type { CountedPeriod, SmsCharge } from './sms-counts.repository.js';
import { phoneCodeText } from './phone-code-text.js';
import { PhoneCodesRepository } from './phone-codes.repository.js';
import { maskedNumber, PhoneNumbersService } from './phone-numbers.service.js';

/**
 * Codes in an hour and a day of the clock. Those who ask for them pay nothing: so a person can cause few, a number is sent few by
 * all people together, yet more than one person can cause, and what thousands of accounts can cause is bounded, too.
 */
export const CODE_LIMITS = {
  ofPerson: { hour: 3, day: 6 },
  ofNumber: { hour: 5, day: 10 },
  ofAll: { hour: 60, day: 300 },
} as const;

/** A person waits for the answer, and is told before their request times out. */
const SENT_WITHIN_MS = 4_000;

/** A code that is to be sent, once the transaction that made it has committed. */
export interface PreparedCode {
  readonly id: string;
  readonly userId: string;
  readonly number: string;
  readonly text: string;
}

/** Makes and sends codes, as many as there may be. */
@Injectable()
export class PhoneCodesService {
  constructor(
    private readonly codes: PhoneCodesRepository,
    private readonly numbers: PhoneNumbersService,
    private readonly budget: SmsBudgetService,
    private readonly preferences: EffectivePreferencesService,
    private readonly client: SmsClient,
    private readonly config: AppConfig,
  ) {}

  /** In the surrounding transaction. @throws NoTextMessagesError; PhoneCodeQuotaError where there were enough */
  async prepare(userId: string, number: string): Promise<PreparedCode> {
    if (!this.config.sms.isSetUp) {
      throw new NoTextMessagesError();
    }
    const id = newId();
    const code = this.numbers.makeCode();
    const language = (await this.preferences.of([userId])).get(userId)?.language ?? 'en';
    const text = phoneCodeText(language, code);
    await this.count(userId, number, { id, segments: segmentsOf(text) });
    await this.codes.save({
      userId,
      id,
      sealed: this.numbers.seal(number, 'notification_phone_codes', userId),
      numberHash: this.numbers.hashOf(number),
      masked: maskedNumber(number),
      codeHash: this.numbers.hashOfCode(id, code),
    });
    return { id, userId, number, text };
  }

  /** Outside of a transaction. @throws PhoneNumberRefusedError; PhoneCodeNotSentError where it is not known that it was sent */
  async send({ id, userId, number, text }: PreparedCode): Promise<void> {
    const outcome = await this.client.send(number, text, id, SENT_WITHIN_MS);
    if (outcome.sent) {
      return;
    }
    if (outcome.isRefused) {
      await this.budget.giveBack(id);
      await this.codes.use(userId, id);
    }
    throw refusalOf(outcome);
  }

  private async count(userId: string, number: string, sms: { id: string; segments: number }): Promise<void> {
    const ofNumber = this.numbers.hashOf(number).toString('base64url');
    const admissions = [
      await this.budget.charge([
        ...chargesOf('codes', CODE_LIMITS.ofAll),
        ...chargesOf(`codes of ${userId}`, CODE_LIMITS.ofPerson),
        ...chargesOf(`codes to ${ofNumber}`, CODE_LIMITS.ofNumber),
      ]),
      await this.budget.reserve({ ...sms, userId, purpose: 'code' }),
    ];
    const waits = admissions.flatMap((one) => (one.isAdmitted ? [] : [one.retryAfterS]));
    if (waits.length > 0) {
      // Takes back what one of them has counted.
      throw new PhoneCodeQuotaError(Math.max(...waits));
    }
  }
}

function chargesOf(subject: string, limits: Readonly<Record<'hour' | 'day', number>>): SmsCharge[] {
  const periods: readonly (CountedPeriod & keyof typeof limits)[] = ['hour', 'day'];
  return periods.map((period) => ({ subject: `${subject} in a ${period}`, period, amount: 1, limit: limits[period] }));
}

function refusalOf({ isPermanent, isRefused }: Extract<SmsOutcome, { sent: false }>): Error {
  return isPermanent ? new PhoneNumberRefusedError() : new PhoneCodeNotSentError(isRefused);
}
