import { IsString, Length } from 'class-validator';
import { IfGiven, OrNull } from '../../../platform/http/members/if-given.js';
import { IsTimeZoneName } from '../../../platform/http/members/time-zone.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { IsVisibleText } from '../../../platform/http/visible-text.js';
import { ActivationCodeDto, toActivationCodeDto } from '../credentials/activations.dto.js';
import { DeviceDto, toDeviceDto } from '../facts/device.dto.js';
import type { ClaimedDevice } from './provisioning.types.js';

export class ClaimDeviceDto {
  /**
   * In any case, with or without hyphens and blanks; O is read as 0, I and L as 1.
   * @example 7K2M-9QXT-0B4H-VWEN-3J8D
   */
  @IsString()
  @Length(1, 100)
  @OftenCalled('claimCode', 'token')
  code!: string;

  /**
   * What its maker called it, or its hardware id, when left out.
   * @example "Front door"
   */
  @IfGiven()
  @IsVisibleText()
  @OftenCalled('label', 'title', 'displayName', 'deviceName')
  name?: string;

  /**
   * Null: in no room. When left out, where its maker said.
   * @example Hall
   */
  @OrNull()
  @IsVisibleText()
  @OftenCalled('location', 'zone', 'place')
  room?: string | null;

  /**
   * IANA name of the time zone it stands in.
   * @example Europe/Berlin
   */
  @IfGiven()
  @IsTimeZoneName()
  @OftenCalled('tz')
  timeZone?: string;
}

/** A device that is mine now. */
export class ClaimedDeviceDto {
  device!: DeviceDto;

  /** Where the token it was made with was revoked: what it is activated with. Null otherwise, and for a repeat. */
  activation!: ActivationCodeDto | null;
}

export function toClaimedDeviceDto({ device, activation }: ClaimedDevice): Readonly<ClaimedDeviceDto> {
  return {
    device: toDeviceDto(device, { permission: 'admin', owned: true }),
    activation: activation && toActivationCodeDto(device.id, activation),
  };
}
