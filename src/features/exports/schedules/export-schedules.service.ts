import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { DomainError } from '../../../shared/domain-error.js';
import { isUuid, newId } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { ExportCoverageService } from '../export-coverage.service.js';
import { ExportScheduleNotFoundError, InvalidExportError, TooManyExportSchedulesError } from '../exports.errors.js';
import { ExportsRepository } from '../exports.repository.js';
import type { CoveredDevice, ExportRequest } from '../exports.types.js';
import { TAKES } from '../data-sets/data-sets.js';
import { exportFaultsOf } from '../requests/export-request-faults.js';
import { ExportSchedulesRepository } from './export-schedules.repository.js';
import type { DueSchedule, ExportSchedule, NewExportSchedule } from './export-schedules.types.js';

const MAX_SCHEDULES = 20;
/** When one is tried again that failed. */
const FAILED_FOR_MS = 10 * 60_000;

/** Exports that are made again and again. */
@Injectable()
export class ExportSchedulesService {
  constructor(
    private readonly schedules: ExportSchedulesRepository,
    private readonly exports: ExportsRepository,
    private readonly coverage: ExportCoverageService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly signals: SignalBus,
    private readonly idempotency: IdempotencyService,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(ExportSchedulesService.name);
  }

  /** @throws InvalidExportError, TooManyExportSchedulesError, ForbiddenError, ResourceNotFoundError */
  async create(userId: string, schedule: NewExportSchedule): Promise<ExportSchedule> {
    const faults = exportFaultsOf(schedule);
    if (faults.length > 0) {
      throw new InvalidExportError(faults);
    }
    await this.coverage.coverageOf(userId, schedule);
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(async () => {
        if ((await this.schedules.count(userId)) >= MAX_SCHEDULES) {
          throw new TooManyExportSchedulesError();
        }
        const id = newId();
        await this.schedules.add(id, userId, schedule);
        await this.audit.record({ entity: { type: 'export_schedule', id }, after: { ...schedule } });
        return id;
      });
      return this.get(userId, id);
    });
  }

  /** Newest first. @throws InvalidCursorError */
  async list(userId: string, limit: number, cursor: string | undefined): Promise<Page<ExportSchedule>> {
    return toPage(
      await this.schedules.list(userId, limit, decodeCursor('export_schedules', cursor, CREATION_PARTS)),
      limit,
      (schedule) => schedule,
      ({ createdAt, id }) => encodeCursor('export_schedules', [createdAt.toISOString(), id]),
    );
  }

  /** @throws ExportScheduleNotFoundError when there is none, or it is another person's. */
  async get(userId: string, id: string): Promise<ExportSchedule> {
    const found = isUuid(id) ? await this.schedules.find(id) : null;
    if (found?.userId !== userId) {
      throw new ExportScheduleNotFoundError(id);
    }
    return found;
  }

  /** The exports that it has made stay. @throws ExportScheduleNotFoundError */
  async remove(userId: string, id: string): Promise<void> {
    const { type, every } = await this.get(userId, id);
    await this.transactions.run(async () => {
      await this.schedules.remove(id);
      await this.audit.record({ entity: { type: 'export_schedule', id }, before: { type, every } });
    });
  }

  /** Asks for the export of a schedule whose time has come; where that fails, later again. @returns false when there was none. */
  async runDue(): Promise<boolean> {
    const locked: { id: string | null } = { id: null };
    try {
      return await this.transactions.run(async () => {
        locked.id = await this.schedules.lockDue();
        return locked.id !== null && (await this.make(locked.id));
      });
    } catch (error) {
      if (locked.id === null) {
        throw error;
      }
      // Others come first.
      await this.schedules.postpone(locked.id, FAILED_FOR_MS);
      this.logger.warn({ err: error, scheduleId: locked.id }, 'A scheduled export could not be asked for; later again');
      return true;
    }
  }

  private async make(id: string): Promise<true> {
    const due = await this.schedules.take(id);
    const request = requestOf(due);
    const devices = await this.devicesOf(due, request);
    const { userId, id: scheduleId, dueAt } = due;
    // Not twice, whatever became of the clock.
    await this.exports.add({ ...request, id: newId(), userId, devices, isWaitedFor: false, scheduleId, dueAt });
    this.transactions.afterCommit(() => {
      this.signals.publish('export_waits', {});
    });
    return true;
  }

  /** Null when the person may not have it any more: then the export fails, and says so. */
  private async devicesOf({ id, userId }: DueSchedule, request: ExportRequest): Promise<CoveredDevice[] | null> {
    try {
      return await this.coverage.coverageOf(userId, request);
    } catch (error) {
      if (!(error instanceof DomainError)) {
        throw error;
      }
      this.logger.info({ scheduleId: id, code: error.code }, 'A scheduled export is not permitted any more');
      return null;
    }
  }
}

function requestOf({
  type,
  format,
  deviceIds,
  eventTypes,
  columns,
  timeZone,
  from,
  until,
}: DueSchedule): ExportRequest {
  return {
    type,
    format,
    timeZone,
    ...(deviceIds && { deviceIds }),
    ...(eventTypes && { eventTypes }),
    ...(columns && { columns }),
    ...(TAKES[type].includes('range') && { from: from.toISOString(), until: until.toISOString() }),
  };
}
