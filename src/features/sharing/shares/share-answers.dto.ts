import type { DevicePermission, DeviceType } from '../../../contracts/devices.js';
import type { Page } from '../../../shared/paging.js';
import { type ShareState, type ShareTerms, stateOfShare } from '../domain/device-access.js';
import { nextOpenings, type Opening } from '../domain/openings.js';
import type { HeldShare, Share } from '../sharing.types.js';
import type { WeeklyScheduleDto } from './schedule.dto.js';

/** From when until when a share is open. */
export class OpeningDto {
  /**
   * RFC 3339.
   * @example 2026-12-24T12:00:00.000Z
   */
  from!: string;

  /**
   * RFC 3339; null: without an end.
   * @example 2026-12-24T17:00:00.000Z
   */
  until!: string | null;
}

/** When a share is open next. */
export class NextOpeningDto {
  /**
   * RFC 3339; null: it is open already.
   * @example 2026-12-24T12:00:00.000Z
   */
  from!: string | null;

  /**
   * RFC 3339; null: without an end.
   * @example 2026-12-24T17:00:00.000Z
   */
  until!: string | null;
}

/** The next times at which a share is open. */
export class OpeningsDto {
  items!: OpeningDto[];
}

/** What a recurrence rule or a schedule comes to, with the next times at which it is open. */
export class SchedulePreviewDto extends OpeningsDto {
  /** @example 2026-12-24T12:00:00.000Z */
  from!: string | null;

  /** @example 2027-01-02T10:00:00.000Z */
  until!: string | null;

  schedule!: WeeklyScheduleDto | null;
}

/** A person's permission on a device. */
export class ShareDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c88 */
  id!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /** @example grace@example.com */
  email!: string;

  /** @example control */
  permission!: DevicePermission;

  /**
   * RFC 3339; null: from the beginning.
   * @example 2026-12-24T12:00:00.000Z
   */
  from!: string | null;

  /**
   * RFC 3339, not included; null: without an end.
   * @example 2027-01-02T10:00:00.000Z
   */
  until!: string | null;

  /** Null: at all hours. */
  schedule!: WeeklyScheduleDto | null;

  /** @example false */
  suspended!: boolean;

  /**
   * What it is worth at this moment: `open`, or why it is not. `closed`: outside its weekly schedule. Where the person who gave it
   * holds a share themselves, it is `not_yet` or `over` with that one, and `withheld` while that is suspended or no `admin`.
   * @example open
   */
  state!: ShareState;

  /** When it is open next, or now; null: never. Of a suspended one, as if it were resumed. */
  nextOpening!: NextOpeningDto | null;

  /**
   * The account that gave it; null once that is gone.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  grantedBy!: string | null;

  /**
   * Grows with every change; also the `ETag`.
   * @example 1
   */
  version!: number;

  /**
   * RFC 3339.
   * @example 2026-12-01T18:00:00.000Z
   */
  createdAt!: string;

  /**
   * RFC 3339.
   * @example 2026-12-01T18:00:00.000Z
   */
  updatedAt!: string;
}

/** One page of shares, oldest first. */
export class SharePageDto {
  items!: ShareDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJzaGFyZXMiLCIyMDI2LTEyLTAxVDE4OjAwOjAwLjAwMFoiLCIwMTlhOWYzZS02YjFhLTdjNDQtOWQwZS0yZjZmM2ExYjhjNTUiXQ
   */
  nextCursor!: string | null;
}

/** A share that I hold. */
export class HeldShareDto extends ShareDto {
  /** @example "Front door" */
  deviceName!: string;

  /** @example door_lock */
  deviceType!: DeviceType;
}

/** One page of the shares that I hold, oldest first. */
export class HeldSharePageDto {
  items!: HeldShareDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJoZWxkLXNoYXJlcyIsIjIwMjYtMTItMDFUMTg6MDA6MDAuMDAwWiIsIjAxOWE5ZjNlLTZiMWEtN2M0NC05ZDBlLTJmNmYzYTFiOGM1NSJd
   */
  nextCursor!: string | null;
}

export function toOpeningDto({ from, until }: Opening): Readonly<OpeningDto> {
  return { from: from.toISOString(), until: until?.toISOString() ?? null };
}

export function toShareDto(share: Share, at: Date): Readonly<ShareDto> {
  const [next] = nextOpenings(share.effective, at, 1);
  return {
    id: share.id,
    deviceId: share.deviceId,
    email: share.email,
    ...toTermsDto(share),
    suspended: share.suspended,
    state: stateOfShare(share.effective, at),
    nextOpening: next ? { ...toOpeningDto(next), ...(next.from <= at && { from: null }) } : null,
    grantedBy: share.grantedBy,
    version: share.version,
    createdAt: share.createdAt.toISOString(),
    updatedAt: share.updatedAt.toISOString(),
  };
}

export function toSharePageDto({ items, nextCursor }: Page<Share>, at: Date): Readonly<SharePageDto> {
  return { items: items.map((share) => toShareDto(share, at)), nextCursor };
}

export function toHeldSharePageDto({ items, nextCursor }: Page<HeldShare>, at: Date): Readonly<HeldSharePageDto> {
  return {
    items: items.map((share) => ({
      ...toShareDto(share, at),
      deviceName: share.deviceName,
      deviceType: share.deviceType,
    })),
    nextCursor,
  };
}

export function toPreviewDto(terms: ShareTerms, openings: readonly Opening[]): Readonly<SchedulePreviewDto> {
  const { from, until, schedule } = toTermsDto(terms);
  return { from, until, schedule, items: openings.map(toOpeningDto) };
}

function toTermsDto({ permission, from, until, schedule }: ShareTerms) {
  return {
    permission,
    from: from?.toISOString() ?? null,
    until: until?.toISOString() ?? null,
    schedule: schedule && {
      timeZone: schedule.timeZone,
      windows: schedule.windows.map((window) => ({ ...window, days: [...window.days] })),
    },
  };
}
