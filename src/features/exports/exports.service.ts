import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { isUuid, newId } from '../../shared/ids.js';
import { type Page, toPage } from '../../shared/paging.js';
import { ExportCoverageService } from './export-coverage.service.js';
import { ExportEndedError, ExportNotFoundError, InvalidExportError, TooManyExportsError } from './exports.errors.js';
import { ExportsRepository, type NewExport } from './exports.repository.js';
import { type CoveredExport, type Export, type ExportRequest, hasEnded } from './exports.types.js';
import { exportFaultsOf } from './requests/export-request-faults.js';
import { ExportWaiters } from './requests/export-waiters.js';
import { ExportEndingService } from './runs/export-ending.service.js';

/** Exports of a person that have not ended. */
const MAX_OPEN = 10;
/** How old a report may be that is answered again. */
const REPORT_LASTS_MS = 5 * 60_000;
/** A signal may be lost. */
const LOOK_EVERY_MS = 500;
/** Often enough within {@link WAIT_LEASE_MS}. */
const SAY_EVERY_MS = 1_000;

export interface RequestOptions {
  /** How long the request waits for the end; undefined: it does not. */
  readonly waitMs?: number | undefined;
  /** The oldest report that will do, in milliseconds. */
  readonly maxAgeMs?: number | undefined;
  /** Aborted when no one waits any more. */
  readonly gone?: AbortSignal | undefined;
}

/** What people ask to be exported. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly exports: ExportsRepository,
    private readonly coverage: ExportCoverageService,
    private readonly waiters: ExportWaiters,
    private readonly ending: ExportEndingService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly signals: SignalBus,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * Takes a request: a row, of which a worker makes a file. A repeat under the same idempotency key answers with the first. The same report that was made a moment ago is answered again.
   * @throws InvalidExportError, TooManyExportsError, ForbiddenError, ResourceNotFoundError
   */
  async request(userId: string, request: ExportRequest, { waitMs, maxAgeMs, gone }: RequestOptions): Promise<Export> {
    const faults = exportFaultsOf(request);
    if (faults.length > 0) {
      throw new InvalidExportError(faults);
    }
    await this.coverage.assertKept(request);
    const devices = await this.coverage.coverageOf(userId, request);
    const wanted: NewExport = { ...request, id: newId(), userId, devices, isWaitedFor: waitMs !== undefined };
    const accepted = await this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        const made = await this.accept(wanted, Math.min(REPORT_LASTS_MS, maxAgeMs ?? Infinity));
        return made.id;
      });
      return this.get(userId, id);
    });
    return waitMs === undefined ? accepted : this.untilEnded(accepted, waitMs, gone);
  }

  /** The request that waited for the end has it: no mail needs to tell of it. */
  answered(id: string): Promise<void> {
    return this.exports.answered(id);
  }

  /** Newest first. @throws InvalidCursorError */
  async list(userId: string, limit: number, cursor: string | undefined): Promise<Page<Export>> {
    const after = decodeCursor('exports', cursor, CREATION_PARTS);
    return toPage(
      await this.exports.list(userId, limit, after),
      limit,
      (one) => one,
      ({ createdAt, id }) => encodeCursor('exports', [createdAt.toISOString(), id]),
    );
  }

  /** @throws ExportNotFoundError when there is none, or it is another person's. */
  async get(userId: string, id: string): Promise<Export> {
    return ownedBy(userId, id, isUuid(id) ? await this.exports.find(id) : null);
  }

  /** With the devices that it is about. @throws as {@link get} */
  async getCovered(userId: string, id: string): Promise<CoveredExport> {
    return ownedBy(userId, id, isUuid(id) ? await this.exports.findCovered(id) : null);
  }

  /** @throws ExportNotFoundError, ExportEndedError */
  async cancel(userId: string, id: string): Promise<Export> {
    await this.get(userId, id);
    return this.transactions.run(async () => {
      await this.idempotency.once(async () => {
        const cancelled = await this.exports.cancel(id);
        if (!cancelled) {
          throw new ExportEndedError((await this.get(userId, id)).state);
        }
        await this.audit.record({ entity: { type: 'export', id } });
        this.transactions.afterCommit(() => {
          this.ending.tell(cancelled);
        });
        return id;
      });
      return this.get(userId, id);
    });
  }

  /** Its file goes with it; one that is under way is cancelled. @throws ExportNotFoundError */
  async remove(userId: string, id: string): Promise<void> {
    const { type } = await this.get(userId, id);
    await this.transactions.run(async () => {
      await this.exports.remove(id);
      await this.audit.record({ entity: { type: 'export', id }, before: { type } });
      this.announce();
    });
  }

  private async accept(wanted: NewExport, maxAgeMs: number): Promise<Export> {
    const { id, type, format, deviceIds, eventTypes, from, until, columns } = wanted;
    const asked = { type, format, deviceIds, eventTypes, from, until, columns };
    const recent = isReport(wanted) && maxAgeMs > 0 ? await this.exports.findRecent(wanted, maxAgeMs) : null;
    if (recent) {
      await this.audit.record({ entity: { type: 'export', id: recent.id }, after: asked });
      return recent;
    }
    if ((await this.exports.countOpen(wanted.userId)) >= MAX_OPEN) {
      throw new TooManyExportsError();
    }
    const added = await this.exports.add(wanted);
    if (!added) {
      throw new Error('An export that no schedule makes was made before.');
    }
    await this.audit.record({ entity: { type: 'export', id }, after: asked });
    this.announce();
    return added;
  }

  /** Tells the workers that there is something to do. */
  private announce(): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('export_waits', {});
    });
  }

  private async untilEnded(accepted: Export, waitMs: number, gone?: AbortSignal): Promise<Export> {
    const until = performance.now() + waitMs;
    let latest = accepted;
    let mayWait = true;
    let saidAt = performance.now();
    try {
      while (mayWait && !hasEnded(latest.state) && performance.now() < until) {
        mayWait = await this.waiters.next(latest.id, Math.min(LOOK_EVERY_MS, until - performance.now()), gone);
        if (performance.now() > saidAt + SAY_EVERY_MS) {
          saidAt = performance.now();
          await this.exports.goOnWaiting(latest.id);
        }
        latest = await this.get(latest.userId, latest.id);
      }
    } finally {
      // Who does not hear of the end here hears of it by mail. It may have come meanwhile: then it is the answer.
      if (!hasEnded(latest.state) && !(await this.exports.stopWaiting(latest.id))) {
        latest = await this.get(latest.userId, latest.id);
      }
    }
    return latest;
  }
}

function ownedBy<T extends Export>(userId: string, id: string, found: T | null): T {
  if (found?.userId !== userId) {
    throw new ExportNotFoundError(id);
  }
  return found;
}

/** What many ask for again and again. Logs and documents of people are as long as they are when they are asked for. */
function isReport({ type }: ExportRequest): boolean {
  return type === 'usage_report' || type === 'device_report';
}
