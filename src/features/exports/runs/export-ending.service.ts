import { Injectable } from '@nestjs/common';
import { EventLog } from '../../../platform/events/event-log.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StoredFile } from '../../../platform/storage/file-store.js';
import { type Export, type ExportFailure, percentOf } from '../exports.types.js';
import { ExportMailer } from './export-mailer.js';
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
    private readonly mailer: ExportMailer,
    private readonly signals: SignalBus,
    private readonly events: EventLog,
  ) {}

  /** @returns false when the attempt is none any more: its file must be deleted. */
  complete(attempt: ExportAttempt, { rows, file, snapshotAt }: MadeFile): Promise<boolean> {
    return this.end(() => this.runs.complete(attempt, rows, file, snapshotAt));
  }

  /** @returns false when the attempt is none any more. */
  fail(attempt: ExportAttempt, failure: ExportFailure): Promise<boolean> {
    return this.end(() => this.runs.fail(attempt, failure));
  }

  /** Shows the owner how far an export is. */
  tell(one: Export): void {
    const { id: exportId, userId, state, rows } = one;
    this.signals.publish('export_changed', { exportId, userId, state, rows, percent: percentOf(one) });
  }

  /** Who waits for it learns of it by the answer. */
  private async record({ id: exportId, userId, type, failure, isWaitedFor }: EndedExport): Promise<void> {
    if (isWaitedFor) {
      return;
    }
    await this.events.append({
      type: 'export_finished',
      payload: { exportId, type, state: failure === null ? 'COMPLETED' : 'FAILED' },
      source: 'system',
      actor: 'system',
      userId,
    });
  }

  private end(change: () => Promise<EndedExport | null>): Promise<boolean> {
    return this.transactions.run(async () => {
      const ended = await change();
      if (!ended) {
        return false;
      }
      await this.mailer.tellOf(ended);
      await this.record(ended);
      this.transactions.afterCommit(() => {
        this.tell(ended);
      });
      return true;
    });
  }
}
