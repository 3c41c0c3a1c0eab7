import { Injectable } from '@nestjs/common';
import { Mailer } from '../../../platform/mail/mailer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StoredFile } from '../../../platform/storage/file-store.js';
import { PreferencesService } from '../../account/preferences.service.js';
import { canAct } from '../../users/account-standing.types.js';
import { UsersService } from '../../users/users.service.js';
import { type Export, type ExportFailure, percentOf } from '../exports.types.js';
import { type EndedExport, type ExportAttempt, ExportRunsRepository } from './export-runs.repository.js';

/** What an attempt has made. */
export interface MadeFile {
  readonly rows: number;
  readonly file: StoredFile;
  /** The moment that it shows; null for what ends where it was asked for. */
  readonly snapshotAt: Date | null;
}

/** Ends exports: the state, and the mail that tells of it, in one transaction, so that each comes once. */
@Injectable()
export class ExportEndingService {
  constructor(
    private readonly runs: ExportRunsRepository,
    private readonly transactions: Transactions,
    private readonly mailer: Mailer,
    private readonly preferences: PreferencesService,
    private readonly users: UsersService,
    private readonly signals: SignalBus,
  ) {}

  /** @returns false when the attempt is none any more: its file must be deleted. */
  complete(attempt: ExportAttempt, { rows, file, snapshotAt }: MadeFile): Promise<boolean> {
    return this.end(
      () => this.runs.complete(attempt, rows, file, snapshotAt),
      (to, { id: exportId, type }) =>
        this.mailer.enqueue({ to, template: 'export_ready', values: { exportId, type, rows } }),
    );
  }

  /** @returns false when the attempt is none any more. */
  fail(attempt: ExportAttempt, failure: ExportFailure): Promise<boolean> {
    return this.end(
      () => this.runs.fail(attempt, failure),
      (to, { id: exportId, type }) =>
        this.mailer.enqueue({ to, template: 'export_failed', values: { exportId, type, failure } }),
    );
  }

  /** Shows the owner how far an export is. */
  tell(one: Export): void {
    const { id: exportId, userId, state, rows } = one;
    this.signals.publish('export_changed', { exportId, userId, state, rows, percent: percentOf(one) });
  }

  private end(
    change: () => Promise<EndedExport | null>,
    send: (to: string, ended: EndedExport) => Promise<void>,
  ): Promise<boolean> {
    return this.transactions.run(async () => {
      const ended = await change();
      if (!ended) {
        return false;
      }
      if (!ended.isWaitedFor) {
        await this.mail(ended, send);
      }
      this.transactions.afterCommit(() => {
        this.tell(ended);
      });
      return true;
    });
  }

  /** To who can act, and wants mails. */
  private async mail(ended: EndedExport, send: (to: string, ended: EndedExport) => Promise<void>): Promise<void> {
    const [account, { notificationChannels }] = [
      await this.users.getAccount(ended.userId),
      await this.preferences.get(ended.userId),
    ];
    if (canAct(account) && notificationChannels.includes('email')) {
      await send(account.email, ended);
    }
  }
}
