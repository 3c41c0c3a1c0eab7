import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Principal } from '../../platform/auth/principal.js';
import { EventLog } from '../../platform/events/event-log.js';
import { Mailer } from '../../platform/mail/mailer.js';
import { EmailQuotaService } from '../auth/email/email-quota.service.js';
import { PasswordChangeService } from '../auth/passwords/password-change.service.js';
import { OneTimeTokensService } from '../auth/tokens/one-time-tokens.service.js';
import { UserPasswordsService } from '../users/user-passwords.service.js';
import { UsersService } from '../users/users.service.js';
import type { User } from '../users/users.types.js';
import { AdminAuthorityService } from './admin-authority.service.js';

const LINK_TTL_MS = 7 * 86_400_000;
/** Without characters that look alike on paper: 20 of these are 99 bits. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = 20;

/** How a person whose password an administrator reset gets the next one. */
export const RESET_MEANS = ['link', 'one_time_password'] as const;
export type ResetMeans = (typeof RESET_MEANS)[number];

/** Passwords that administrators reset. They never learn one that is in use. */
@Injectable()
export class PasswordResetService {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: UserPasswordsService,
    private readonly tokens: OneTimeTokensService,
    private readonly changes: PasswordChangeService,
    private readonly authority: AdminAuthorityService,
    private readonly quota: EmailQuotaService,
    private readonly mailer: Mailer,
    private readonly events: EventLog,
  ) {}

  /**
   * Takes the password away and ends all sessions. With a one-time password, the next login may only choose another.
   * @returns the one-time password, which cannot be read again; null where a link was mailed.
   * @throws UserNotFoundError, LastAdminError, BusyError, EmailQuotaExceededError, and what AdminAuthorityService throws
   */
  async reset(userId: string, means: ResetMeans, admin: Principal): Promise<string | null> {
    const change = { userId, authority: 'administrator' } as const;
    if (means === 'link') {
      await this.authority.exercise(admin, [userId], async () => {
        await this.changes.apply({ ...change, passwordHash: null });
        await this.recordReset(userId, admin);
        await this.mailLink('password_taken_away', await this.users.get(userId));
      });
      return null;
    }
    const password = oneTimePassword();
    const passwordHash = await this.passwords.hash(password, { email: '' });
    await this.authority.exercise(admin, [userId], async () => {
      await this.changes.apply({ ...change, passwordHash, mustChange: true });
      await this.recordReset(userId, admin);
    });
    return password;
  }

  /**
   * Mails a link by which a person chooses the first password. Part of the transaction that made the account.
   * @throws EmailQuotaExceededError
   */
  invite(user: User): Promise<void> {
    return this.mailLink('set_password', user);
  }

  private recordReset(userId: string, admin: Principal): Promise<void> {
    return this.events.append({
      type: 'password_reset',
      payload: { by: 'administrator' },
      source: 'http',
      actor: `user:${admin.userId}`,
      userId,
    });
  }

  private async mailLink(
    template: 'set_password' | 'password_taken_away',
    { id: userId, email, displayName }: User,
  ): Promise<void> {
    await this.quota.require(email, { byAdministrator: true });
    const token = await this.tokens.issue('set_password', { userId, payload: {}, ttlMs: LINK_TTL_MS });
    await this.mailer.enqueue({ to: email, template, values: { displayName, token } });
  }
}

function oneTimePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
