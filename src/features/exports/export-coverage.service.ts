import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { ForbiddenError, ResourceNotFoundError } from '../../platform/auth/auth.errors.js';
import { hasEdgeBefore } from '../../shared/time/quarters.js';
import { DeviceListService } from '../devices/list/device-list.service.js';
import { DeviceAccessService } from '../sharing/access/device-access.service.js';
import { canAct } from '../users/account-standing.types.js';
import { UsersService } from '../users/users.service.js';
import { spanOf } from './data-sets/usage-report.js';
import { InvalidExportError } from './exports.errors.js';
import { ExportsRepository } from './exports.repository.js';
import {
  type CoveredDevice,
  type CoveredExport,
  type ExportRequest,
  isAboutDevices,
  isForAdministrators,
  MAX_EXPORT_DEVICES,
} from './exports.types.js';

/** Whole quarters are kept for longer. */
const NOT_KEPT = 'the events of this quarter of an hour are not kept any more: take a full quarter, such as 18:15:00Z';

/** Decides what a person may have in an export: when it is asked for, when it is made, and when it is read. */
@Injectable()
export class ExportCoverageService {
  constructor(
    private readonly list: DeviceListService,
    private readonly access: DeviceAccessService,
    private readonly users: UsersService,
    private readonly exports: ExportsRepository,
    private readonly config: AppConfig,
  ) {}

  /** @throws InvalidExportError for a report from or until within a quarter of an hour whose events are gone */
  async assertKept({ type, from, until }: ExportRequest): Promise<void> {
    const edges = [
      { pointer: '/from', span: spanOf(from === undefined ? {} : { from }) },
      { pointer: '/until', span: spanOf(until === undefined ? {} : { until }) },
    ];
    const cut = (before: number): typeof edges => edges.filter(({ span }) => hasEdgeBefore(span, before));
    // Few reports have such an edge.
    if (type !== 'usage_report' || cut(Infinity).length === 0) {
      return;
    }
    const keptSince = await this.exports.timeAfter(-this.config.retention.eventsMs);
    const faults = cut(keptSince.getTime()).map(({ pointer }) => ({ detail: NOT_KEPT, pointer }));
    if (faults.length > 0) {
      throw new InvalidExportError(faults);
    }
  }

  /**
   * The devices that an export is about; null where it is about none.
   * @throws ForbiddenError for what takes an administrator; ResourceNotFoundError for a device that the person does not see;
   *   InvalidExportError where there are too many
   */
  async coverageOf(userId: string, { type, deviceIds }: ExportRequest): Promise<CoveredDevice[] | null> {
    if (isForAdministrators(type) && !(await this.isAdministrator(userId))) {
      throw new ForbiddenError('admin');
    }
    if (!isAboutDevices(type)) {
      return null;
    }
    const visible = await this.list.listVisible(userId, MAX_EXPORT_DEVICES + 1);
    const wanted = deviceIds ? new Set(deviceIds) : null;
    const covered = wanted ? visible.filter(({ id }) => wanted.has(id)) : visible;
    if (wanted && covered.length < wanted.size) {
      throw new ResourceNotFoundError('device');
    }
    if (covered.length > MAX_EXPORT_DEVICES) {
      throw new InvalidExportError([
        {
          detail: `you see more than ${String(MAX_EXPORT_DEVICES)} devices: name those that you want`,
          pointer: '/deviceIds',
        },
      ]);
    }
    return covered
      .map(({ id, name, visibleFrom }) => ({ id, name, from: visibleFrom?.toISOString() ?? null }))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Whether the person may see all that is in an export, now. */
  async mayStillSee({ userId, type, devices }: Pick<CoveredExport, 'userId' | 'type' | 'devices'>): Promise<boolean> {
    const mayAct = isForAdministrators(type) ? await this.isAdministrator(userId) : await this.canAct(userId);
    if (!mayAct || (isAboutDevices(type) && devices === null)) {
      return false;
    }
    const since = await this.seenSince(userId, devices ?? []);
    return (devices ?? []).every(
      ({ from }, index) => (since[index] ?? Infinity) <= (from === null ? 0 : Date.parse(from)),
    );
  }

  private async canAct(userId: string): Promise<boolean> {
    return canAct(await this.users.getAccount(userId));
  }

  private async isAdministrator(userId: string): Promise<boolean> {
    return (await this.users.adminsAmong([userId])).has(userId);
  }

  /** From when on the person may see what happened to each, in milliseconds since 1970; Infinity: not at all. */
  private async seenSince(userId: string, devices: readonly { id: string }[]): Promise<number[]> {
    const seen = await this.access.visibilityOf(devices.map(({ id }) => ({ userId, deviceId: id })));
    return seen.map(({ from }) => from);
  }
}
