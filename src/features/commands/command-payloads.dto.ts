import { ApiPropertyOptional } from '@nestjs/swagger';
import { Equals, IsIn, IsInt, IsUrl, Matches, Max, MaxLength, Min } from 'class-validator';
import {
  type CommandName,
  type CommandPayloads,
  SNAPSHOT_QUALITIES,
  type SnapshotQuality,
} from '../../contracts/commands.js';
import { IfGiven } from '../../platform/http/members/if-given.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

type UnlockDoor = CommandPayloads['unlock_door'];
type RequestSnapshot = CommandPayloads['request_snapshot'];
type FirmwareUpdate = CommandPayloads['firmware_update'];

/** What is in a URL as it travels: every HTTP client of a device takes it, and it fits into an order by its length. */
const RFC_3986 = /^[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/;

/** For commands without a payload. */
export class NoPayloadDto {
  // class-validator refuses a class without a rule. This rule holds only when the member is left out.
  @Equals(undefined, { message: 'is not known here' })
  nothing?: undefined;
}

/** What `unlock_door` takes. */
export class UnlockDoorPayloadDto implements UnlockDoor {
  /**
   * Milliseconds until the lock locks again. Left out, it stays unlocked.
   * @example 5000
   */
  @IfGiven()
  @IsInt()
  @Min(1_000)
  @Max(30_000)
  @OftenCalled('seconds', 'timeout', 'timeoutMs')
  durationMs?: number;
}

/** What `request_snapshot` takes. */
export class RequestSnapshotPayloadDto implements RequestSnapshot {
  /** The camera's own choice when it is left out. */
  @ApiPropertyOptional({ enum: SNAPSHOT_QUALITIES, example: 'medium' })
  @IfGiven()
  @IsIn(SNAPSHOT_QUALITIES)
  quality?: SnapshotQuality;
}

/** What `firmware_update` takes. The device downloads the image itself and checks it before it boots it. */
export class FirmwareUpdatePayloadDto implements FirmwareUpdate {
  /**
   * What the device reports as its `firmwareVersion` afterwards.
   * @example 2.4.1
   */
  @Matches(/^[\w.+-]{1,64}$/, { message: 'takes 1 to 64 letters, digits and . _ + -' })
  version!: string;

  /**
   * Where the image is: a URL in the characters of RFC 3986, others as `%XX`.
   * @example https://firmware.example.com/lock/2.4.1.bin
   */
  @IsUrl({ protocols: ['https'], require_protocol: true, require_tld: false, disallow_auth: true })
  @MaxLength(2_048)
  @Matches(RFC_3986, { message: '$property must have no other characters than RFC 3986 allows' })
  url!: string;

  /**
   * SHA-256 of the image, in hex.
   * @example 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
   */
  @Matches(/^[0-9a-f]{64}$/i, { message: 'must be a SHA-256 in hex: 64 of 0-9 a-f' })
  sha256!: string;

  /**
   * The vendor's signature over the image, in base64 or base64url.
   * @example qf6Ok8VdP6m0L0iTz2nGkqRr6pVw3l8mB2u0b3xk0QJ7l5m9sM1o5Q0m5wYv2yq0uQ3F9pHk8b7c6d5e4f3g2h
   */
  @Matches(/^[\w+/=-]{1,1024}$/, { message: 'must be 1 to 1024 characters of base64' })
  signature!: string;
}

const PAYLOADS: Record<CommandName, new () => object> = {
  lock_door: NoPayloadDto,
  unlock_door: UnlockDoorPayloadDto,
  request_snapshot: RequestSnapshotPayloadDto,
  restart_device: NoPayloadDto,
  firmware_update: FirmwareUpdatePayloadDto,
  sync_access_codes: NoPayloadDto,
};

/** The class that validates the payload of a command; for an unknown name, the one that allows nothing. */
export function payloadClassOf(name: unknown): new () => object {
  const [, payload] = Object.entries(PAYLOADS).find(([known]) => known === name) ?? [];
  return payload ?? NoPayloadDto;
}
