import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Principal } from '../../../platform/auth/principal.js';
import { newContext, runInContext } from '../../../platform/context/request-context.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import type { ClientInfo } from '../auth.types.js';
import { deviceName } from '../sessions/domain/device-name.js';
import { type FailureCount, LoginWindowsRepository } from './login-windows.repository.js';
import { NewClientsRepository } from './new-clients.repository.js';

const OVERALL = '';
const PER_ACCOUNT = 20;
const IN_ALL = 100;

/** Detects bursts of failed logins across all processes, and alerts administrators once in a window; tells people of new clients. */
@Injectable()
export class LoginAlertsService {
  readonly #failures: Counter<'reason'>;
  readonly #alerts: Counter<'scope'>;

  constructor(
    private readonly windows: LoginWindowsRepository,
    private readonly clients: NewClientsRepository,
    private readonly transactions: Transactions,
    private readonly events: EventLog,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(LoginAlertsService.name);
    this.#failures = metrics.counter('mortise_login_failures_total', 'Logins refused, by reason', ['reason']);
    this.#alerts = metrics.counter('mortise_login_alerts_total', 'Bursts of failed logins, by scope', ['scope']);
  }

  /**
   * @param account SHA-256 of what was typed as identifier.
   * @param userId the account behind it, if there is one.
   */
  async recordFailure(reason: 'credentials' | 'throttled', account: Buffer, userId: string | null): Promise<void> {
    this.#failures.inc({ reason });
    for (const count of await this.windows.countFailure([OVERALL, account.toString('hex')])) {
      if (count.failures >= (count.subject === OVERALL ? IN_ALL : PER_ACCOUNT)) {
        await this.raise(count, userId);
      }
    }
  }

  /**
   * In the transaction of a login by a client that showed no known device. The first one of an account is no news, and neither is
   * a browser that lost its cookies.
   */
  async recordSignIn({ userId, sessionId }: Principal, { ip, userAgent }: ClientInfo): Promise<void> {
    if (!(await this.clients.isNew(sessionId))) {
      return;
    }
    await this.events.append({
      type: 'signed_in_anew',
      payload: { sessionId, client: deviceName(userAgent), ...(ip === null ? {} : { address: ip }) },
      source: 'system',
      actor: `user:${userId}`,
      userId,
    });
  }

  /** In a transaction and context of its own: an alert is no part of the request that was one too many. */
  private async raise({ subject, failures }: FailureCount, userId: string | null): Promise<void> {
    const scope = subject === OVERALL ? 'overall' : 'account';
    const raised = await runInContext(newContext('system', 'system'), () =>
      this.transactions.independently(async () => {
        if (!(await this.windows.raise(subject, failures))) {
          return false;
        }
        await this.events.append({
          type: 'system_alert',
          payload: {
            alert: 'login_failures',
            scope,
            failures,
            windowSeconds: 60,
            ...(scope === 'account' && userId !== null ? { userId } : {}),
          },
          source: 'system',
          actor: 'system',
        });
        return true;
      }),
    );
    if (raised) {
      this.#alerts.inc({ scope });
      this.logger.warn({ scope, failures, userId }, 'A burst of failed logins');
    }
  }
}
