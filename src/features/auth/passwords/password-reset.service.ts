import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Mailer } from '../../../platform/mail/mailer.js';
import { UsersService } from '../../users/users.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { PasswordChangeService } from './password-change.service.js';

const LINK_TTL_MS = 7 * 86_400_000;
/** Without what looks alike on paper: 20 of these are 99 bits. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = 20;

/** How an administrator lets somebody in again. */
export const RESET_MEANS = ['link', 'one_time_password'] as const;
export type ResetMeans = (typeof RESET_MEANS)[number];

/** What administrators do about other people's passwords. They never learn one that is in use. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokensService,
    private readonly changes: PasswordChangeService,
    private readonly mailer: Mailer,
  ) {}

  /**
   * Takes the password away and ends all sessions. With a one-time password, the next login may only choose another.
   * @returns the one-time password, which nobody can read again; null where a link was mailed.
   * @throws UserNotFoundError, BusyError
   */
  async reset(userId: string, means: ResetMeans): Promise<string | null> {
    const { email, displayName } = await this.users.get(userId);
    if (means === 'link') {
      const andThen = (): Promise<void> => this.invite(userId);
      await this.changes.apply({ userId, passwordHash: null, reason: 'password_reset', andThen });
      return null;
    }
    const password = oneTimePassword();
    await this.changes.apply({
      userId,
      passwordHash: await this.users.passwords.hash(password, { email: '' }),
      reason: 'password_reset',
      mustChange: true,
      andThen: () =>
        this.mailer.enqueue({
          to: email,
          template: 'security_notice',
          values: { displayName, notice: 'password_reset' },
        }),
    });
    return password;
  }

  /** Mails a link by which a person chooses the first password. Part of the transaction that made the account. */
  async invite(userId: string): Promise<void> {
    const { email, displayName } = await this.users.get(userId);
    const token = await this.tokens.issue('set_password', { userId, payload: {}, ttlMs: LINK_TTL_MS });
    await this.mailer.enqueue({ to: email, template: 'set_password', values: { displayName, token } });
  }
}

function oneTimePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
