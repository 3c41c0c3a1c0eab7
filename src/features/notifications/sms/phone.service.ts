import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { UsersService } from '../../users/users.service.js';
import { InvalidPhoneCodeError } from '../notifications.errors.js';
import { type PhoneCode, PhoneCodesRepository } from './phone-codes.repository.js';
import { PhoneCodesService, type PreparedCode } from './phone-codes.service.js';
import { PhoneNumbersService } from './phone-numbers.service.js';
import { type Phone, PhonesRepository } from './phones.repository.js';

/** The number of a person, and the one that waits for its code. */
export interface PhoneStanding {
  readonly phone: Phone | null;
  readonly waiting: PhoneCode | null;
}

/** The telephone numbers of people: each shows that theirs is theirs before anything else is sent there. */
@Injectable()
export class PhoneService {
  constructor(
    private readonly phones: PhonesRepository,
    private readonly codes: PhoneCodesRepository,
    private readonly sending: PhoneCodesService,
    private readonly numbers: PhoneNumbersService,
    private readonly users: UsersService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  async get(userId: string): Promise<PhoneStanding> {
    return { phone: await this.phones.find(userId), waiting: await this.codes.find(userId) };
  }

  /**
   * Sends a code to the number, which takes the place of the one before when it is confirmed. One that is confirmed, or was sent a
   * code a moment ago, is sent none.
   * @throws NoTextMessagesError; PhoneCodeQuotaError; PhoneNumberRefusedError; PhoneCodeNotSentError
   */
  async change(userId: string, number: string): Promise<PhoneStanding> {
    const prepared = await this.transactions.run(async () => {
      // Two that a person sends at the same time send one code.
      await this.users.lockAll([userId]);
      const code = (await this.needsCode(userId, number)) ? await this.sending.prepare(userId, number) : null;
      const { waiting, phone } = await this.get(userId);
      await this.audit.record({
        entity: { type: 'user', id: userId },
        after: { number: waiting?.masked ?? phone?.masked ?? null, codeSent: code !== null },
      });
      return code;
    });
    await this.send(prepared);
    return this.get(userId);
  }

  /** The number that a code was sent to is used from now on. @throws InvalidPhoneCodeError */
  async confirm(userId: string, code: string): Promise<PhoneStanding> {
    const waiting = await this.codes.try(userId);
    if (!waiting || !this.numbers.isCode(waiting.id, code, waiting.codeHash)) {
      throw new InvalidPhoneCodeError();
    }
    await this.transactions.run(async () => {
      if (!(await this.codes.use(userId, waiting.id))) {
        throw new InvalidPhoneCodeError();
      }
      const number = this.numbers.open(waiting.sealed, 'notification_phone_codes', userId);
      const { numberHash, masked } = waiting;
      await this.phones.save({
        userId,
        sealed: this.numbers.seal(number, 'notification_phones', userId),
        numberHash,
        masked,
      });
      await this.audit.record({ entity: { type: 'user', id: userId }, after: { number: masked } });
    });
    return this.get(userId);
  }

  /** Also of a number that waits for its code. However often. */
  async remove(userId: string): Promise<void> {
    await this.transactions.run(async () => {
      await this.codes.remove(userId);
      const number = await this.phones.remove(userId);
      await this.audit.record({ entity: { type: 'user', id: userId }, before: { number } });
    });
  }

  /**
   * The provider takes nothing for this number any more: no one who has it is sent anything. Not where it was confirmed after the
   * message that shows it: a report may come late, or again.
   */
  async stop(number: string, smsId: string, reason: string): Promise<void> {
    await this.transactions.run(async () => {
      for (const { userId, masked } of await this.phones.stop(this.numbers.hashOf(number), smsId, reason)) {
        await this.audit.record({
          action: 'phone_stopped',
          actor: 'system',
          entity: { type: 'user', id: userId },
          after: { number: masked, reason },
        });
      }
    });
  }

  private async needsCode(userId: string, number: string): Promise<boolean> {
    const { phone, waiting } = await this.get(userId);
    const hash = this.numbers.hashOf(number);
    const isInUse = phone?.stoppedAt === null && hash.equals(phone.numberHash);
    if (isInUse && waiting) {
      // Back to the number that there is.
      await this.codes.remove(userId);
    }
    return !isInUse && !(waiting?.isFresh === true && hash.equals(waiting.numberHash));
  }

  private async send(prepared: PreparedCode | null): Promise<void> {
    if (prepared) {
      await this.sending.send(prepared);
    }
  }
}
