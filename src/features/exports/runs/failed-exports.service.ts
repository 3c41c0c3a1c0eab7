import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Transactions } from '../../../platform/prisma/transactions.js';
import {
  type DeadLetter,
  DeadLetterRegistry,
  type DeadLetterSource,
  type ReplayOutcome,
} from '../../../platform/queue/dead-letter-registry.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { ExportCoverageService } from '../export-coverage.service.js';
import { InvalidExportError } from '../exports.errors.js';
import type { Export } from '../exports.types.js';
import { ExportEndingService } from './export-ending.service.js';
import { FailedExportsRepository } from './failed-exports.repository.js';

const LIST = 'failed-exports';

/** Exports that failed, for administrators: they have them made again, or put them aside, and see no file. */
@Injectable()
export class FailedExportsService implements DeadLetterSource, OnModuleInit {
  constructor(
    private readonly failed: FailedExportsRepository,
    private readonly coverage: ExportCoverageService,
    private readonly ending: ExportEndingService,
    private readonly registry: DeadLetterRegistry,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.registry.register('exports', this);
  }

  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<DeadLetter>> {
    const after = decodeCursor(LIST, cursor, CREATION_PARTS);
    return toPage(await this.failed.list(limit, after), limit, toDeadLetter, (one) =>
      encodeCursor(LIST, [failedAtOf(one).toISOString(), one.id]),
    );
  }

  /** It is the same export, of what its person may see when it is made; its mail tells them of its end. */
  async replay(id: string): Promise<ReplayOutcome> {
    const failed = isUuid(id) ? await this.failed.find(id) : null;
    if (!failed) {
      return 'gone';
    }
    if (!(await this.isKept(failed))) {
      return 'not_replayable';
    }
    const again = await this.failed.runAgain(id);
    if (!again) {
      return 'gone';
    }
    this.transactions.afterCommit(() => {
      this.ending.tell(again);
      this.signals.publish('export_waits', {});
    });
    return 'replayed';
  }

  discard(id: string): Promise<boolean> {
    return isUuid(id) ? this.failed.discard(id) : Promise.resolve(false);
  }

  /** Whether there are still the events that a report counts. */
  private async isKept(failed: Export): Promise<boolean> {
    try {
      await this.coverage.assertKept(failed);
      return true;
    } catch (error) {
      if (error instanceof InvalidExportError) {
        return false;
      }
      throw error;
    }
  }
}

function toDeadLetter(one: Export): DeadLetter {
  return {
    id: one.id,
    kind: one.type,
    recipient: one.userId,
    error: one.failure,
    attempts: one.attempts,
    failedAt: failedAtOf(one),
    isReplayable: true,
  };
}

/** Of what has failed it is there. */
function failedAtOf({ finishedAt, createdAt }: Export): Date {
  return finishedAt ?? createdAt;
}
