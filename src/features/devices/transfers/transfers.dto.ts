import { IsString, Matches } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsEmailAddress } from '../../../platform/http/members/email-address.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import type { Page } from '../../../shared/paging.js';
import { ActivationCodeDto, toActivationCodeDto } from '../credentials/activations.dto.js';
import { DeviceDto, toDeviceDto } from '../facts/device.dto.js';
import type { AcceptedTransfer, Transfer } from './transfers.types.js';

export class OfferTransferDto {
  /**
   * Of the person who is to have it. It need not have an account yet; the answer does not tell whether it has.
   * @example grace@example.com
   */
  @IsEmailAddress()
  @OftenCalled('mail', 'user', 'to', 'recipient', 'newOwner')
  email!: string;
}

export class AcceptTransferDto {
  /**
   * As it was mailed; valid once, for 7 days, for the account with the address that it was mailed to.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  @IsString()
  @Matches(/^[\w-]{43}$/, { message: 'must be one that was mailed' })
  @OftenCalled('code')
  token!: string;
}

export class AnswerTransferDto {
  /**
   * As it was mailed. Needed with `REGISTRATION=open`, where an account need not have its e-mail address.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  @IfGiven()
  @IsString()
  @Matches(/^[\w-]{43}$/, { message: 'must be one that was mailed' })
  @OftenCalled('code')
  token?: string;
}

/** An open offer, as the owner sees it. */
export class TransferDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c77 */
  id!: string;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /** @example grace@example.com */
  email!: string;

  /**
   * RFC 3339.
   * @example 2026-11-27T18:00:00.000Z
   */
  expiresAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;
}

/** An open offer, as the person sees it to whom it is made. */
export class OfferedTransferDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c77 */
  id!: string;

  /** @example "Front door" */
  deviceName!: string;

  /**
   * Who offers it.
   * @example Ada
   */
  senderName!: string;

  /**
   * RFC 3339.
   * @example 2026-11-27T18:00:00.000Z
   */
  expiresAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;
}

/** One page of offers, oldest first. */
export class OfferedTransferPageDto {
  items!: OfferedTransferDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJ0cmFuc2ZlcnMiLCIyMDI2LTExLTIwVDE4OjAwOjAwLjAwMFoiLCIwMTlhOWYzZS02YjFhLTdjNDQtOWQwZS0yZjZmM2ExYjhjNTUiXQ
   */
  nextCursor!: string | null;
}

/** A device that is mine now. */
export class AcceptedTransferDto {
  device!: DeviceDto;

  /**
   * What the device is activated with again, on site: every token of it has ended. Null when an `Idempotency-Key` is repeated.
   */
  activation!: ActivationCodeDto | null;
}

/** A device as it was when it was new. */
export class FactoryResetDto {
  /** What it is activated with; null when an `Idempotency-Key` is repeated. */
  activation!: ActivationCodeDto | null;
}

export function toTransferDto({ id, deviceId, email, expiresAt, createdAt }: Transfer): Readonly<TransferDto> {
  return { id, deviceId, email, expiresAt: expiresAt.toISOString(), createdAt: createdAt.toISOString() };
}

export function toOfferedTransferPageDto({ items, nextCursor }: Page<Transfer>): Readonly<OfferedTransferPageDto> {
  return {
    items: items.map(({ id, deviceName, senderName, expiresAt, createdAt }) => ({
      id,
      deviceName,
      senderName,
      expiresAt: expiresAt.toISOString(),
      createdAt: createdAt.toISOString(),
    })),
    nextCursor,
  };
}

export function toAcceptedTransferDto({ device, activation }: AcceptedTransfer): Readonly<AcceptedTransferDto> {
  return {
    device: toDeviceDto(device, { permission: 'admin', owned: true }),
    activation: activation && toActivationCodeDto(device.id, activation),
  };
}
