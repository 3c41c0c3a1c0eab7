import { IsIn, IsObject, IsString, ValidateBy } from 'class-validator';
import { ACK_STATUSES, type AckStatus } from '../../../contracts/commands.js';
import { type AckMessage } from '../../../contracts/mqtt.js';
import { UPLINK_LIMITS } from '../../../contracts/uplinks.js';
import { IsId } from '../../../platform/http/members/id.decorator.js';
import { Reading } from '../../../platform/uplinks/reading.decorator.js';
import { hasInexactNumber } from '../../../shared/exact-numbers.js';

const { resultBytes, errorCodeLength, errorMessageLength } = UPLINK_LIMITS;

/** How a device answers an order: a message on its `acks` topic. */
export class AckDto implements AckMessage {
  @IsId()
  commandId!: string;

  @IsIn(ACK_STATUSES)
  status!: AckStatus;

  /** At most 4 KiB as JSON, with numbers up to 2^53 - 1. */
  @Reading()
  @IsObject()
  @ValidateBy({
    name: 'isStorableResult',
    validator: {
      validate: (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= resultBytes && !hasInexactNumber(value),
      defaultMessage: () => `must not exceed ${String(resultBytes)} bytes, nor its numbers 2^53 - 1`,
    },
  })
  result?: Record<string, unknown>;

  @Reading({ cutTo: errorCodeLength })
  @IsString()
  errorCode?: string;

  @Reading({ cutTo: errorMessageLength })
  @IsString()
  errorMessage?: string;
}
