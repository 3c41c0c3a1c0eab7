import { Injectable } from '@nestjs/common';
import { ForbiddenError, ResourceNotFoundError } from '../../platform/auth/auth.errors.js';
import { type DeviceAuthority, DeviceAccessService } from '../sharing/access/device-access.service.js';
import type { AccessNeed } from '../sharing/device-permission.types.js';
import { AccountStandingService } from '../users/account-standing.service.js';
import { UnlockRestrictedError } from '../users/users.errors.js';
import { DeviceEventWriter } from './device-event-writer.js';
import { DevicesRepository } from './devices.repository.js';
import type { Device } from './devices.types.js';

/** A device that is held until the end of the transaction, and what the person who changes it may do with it. */
export interface HeldDevice {
  readonly device: Device;
  readonly authority: DeviceAuthority;
}

const REFUSALS = [ForbiddenError, ResourceNotFoundError, UnlockRestrictedError];

/**
 * How every change of a device by a person begins: the guard has read the right before the device was held, and a transfer or
 * the end of a share may have taken it since.
 */
@Injectable()
export class DeviceChangeService {
  constructor(
    private readonly devices: DevicesRepository,
    private readonly access: DeviceAccessService,
    private readonly standing: AccountStandingService,
    private readonly eventWriter: DeviceEventWriter,
  ) {}

  /**
   * Locks the account and the device in this order until the end of the surrounding transaction, and reads the right again.
   * @throws DeviceNotFoundError, ResourceNotFoundError without any permission, ForbiddenError
   */
  async begin(userId: string, deviceId: string, need: AccessNeed): Promise<HeldDevice> {
    await this.standing.lockActing([userId]);
    const device = await this.devices.getLocked(deviceId);
    return { device, authority: await this.access.require(userId, deviceId, need) };
  }

  /**
   * {@link begin} for the credentials of a device, by a right of one's own: a share ends, and what was issued under it would not.
   * @throws ForbiddenError for who has only a share
   */
  beginCredentials(userId: string, deviceId: string): Promise<HeldDevice> {
    return this.begin(userId, deviceId, 'manager');
  }

  /** The same where credentials are given out: who has one opens the door. @throws UnlockRestrictedError */
  async beginIssue(userId: string, deviceId: string): Promise<HeldDevice> {
    const held = await this.beginCredentials(userId, deviceId);
    await this.standing.requireUnrestricted(userId);
    return held;
  }

  /** The right to see a credential that was issued. @throws as {@link beginIssue} */
  async requireIssue(userId: string, deviceId: string): Promise<void> {
    await this.access.require(userId, deviceId, 'manager');
    await this.standing.requireUnrestricted(userId);
  }

  /** Whether {@link requireIssue} lets that person pass: a code is worth what its maker may do when it is used. */
  async mayIssue(userId: string, deviceId: string): Promise<boolean> {
    try {
      await this.requireIssue(userId, deviceId);
      return true;
    } catch (error) {
      if (REFUSALS.some((refusal) => error instanceof refusal)) {
        return false;
      }
      throw error;
    }
  }

  /** The right without a lock, for what reads, or what is asked before something else is locked. */
  require(userId: string, deviceId: string, need: AccessNeed): Promise<DeviceAuthority> {
    return this.access.require(userId, deviceId, need);
  }

  /** Counts and records a change that is in no column of the device. */
  async record(deviceId: string, changed: string[], facts: Readonly<Record<string, unknown>>): Promise<void> {
    await this.eventWriter.recordChange(await this.devices.touch(deviceId), changed, facts);
  }
}
