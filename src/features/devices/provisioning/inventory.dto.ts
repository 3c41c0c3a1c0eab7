import { Transform } from 'class-transformer';
import { IsBoolean } from 'class-validator';
import type { DeviceType } from '../../../contracts/devices.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Page } from '../../../shared/paging.js';
import { IsHardwareId } from '../hardware-id.decorator.js';
import type { ProvisionedDevice } from './provisioning.types.js';

export class ListProvisionedQueryDto extends PageQueryDto {
  /**
   * Only the one with this number, in whatever spelling.
   * @example aa-bb-cc-00-11-22
   */
  @IfGiven()
  @IsHardwareId()
  @OftenCalled('serial', 'serialNumber', 'mac', 'macAddress', 'deviceId', 'q')
  hardwareId?: string;

  /** Only those that have an owner, or only those that have none. */
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => ({ true: true, false: false })[String(value)] ?? value)
  @IsBoolean()
  claimed?: boolean;
}

/** A thing in the inventory. Who claimed it is not told. */
export class ProvisionedDeviceDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  id!: string;

  /** @example "AA:BB:CC:00:11:22" */
  hardwareId!: string;

  /** @example door_lock */
  type!: DeviceType;

  /** @example "Front door" */
  name!: string | null;

  /** @example M-200 */
  model!: string | null;

  /** @example 1.4.2 */
  firmwareVersion!: string | null;

  /**
   * The only account that can claim it; null when any can.
   * @example grace@example.com
   */
  ownerEmail!: string | null;

  /** Whether a code is valid. Without one, it takes a new code to claim it. */
  hasClaimCode!: boolean;

  /**
   * RFC 3339; null while it has no owner.
   * @example 2026-11-20T18:00:00.000Z
   */
  claimedAt!: string | null;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;
}

/** One page of the inventory, newest first. */
export class ProvisionedDevicePageDto {
  items!: ProvisionedDeviceDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJwcm92aXNpb25lZCIsIjIwMjYtMTEtMjBUMTg6MDA6MDAuMDAwWiIsIjAxOWE5ZjNlLTZiMWEtN2M0NC05ZDBlLTJmNmYzYTFiOGM1NSJd
   */
  nextCursor!: string | null;
}

/** A new code. */
export class ClaimCodeDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /**
   * Shown once: null when an `Idempotency-Key` is repeated.
   * @example 7K2M-9QXT-0B4H-VWEN-3J8D
   */
  claimCode!: string | null;
}

export function toProvisionedDevicePageDto({
  items,
  nextCursor,
}: Page<ProvisionedDevice>): Readonly<ProvisionedDevicePageDto> {
  return {
    items: items.map((thing) => ({
      id: thing.id,
      hardwareId: thing.hardwareId,
      type: thing.type,
      name: thing.name,
      model: thing.model,
      firmwareVersion: thing.firmwareVersion,
      ownerEmail: thing.ownerEmail,
      hasClaimCode: thing.hasClaimCode,
      claimedAt: thing.claimedAt?.toISOString() ?? null,
      createdAt: thing.createdAt.toISOString(),
    })),
    nextCursor,
  };
}
