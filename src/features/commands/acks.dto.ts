import { IsIn, IsObject, IsOptional, IsString, IsUUID, MaxLength, ValidateBy } from 'class-validator';
import { ACK_STATUSES, type AckStatus } from '../../contracts/commands.js';
import { type AckMessage } from '../../contracts/mqtt.js';

const MAX_RESULT_BYTES = 4_096;

/** How a device answers an order: a message on its `acks` topic. */
export class AckDto implements AckMessage {
  @IsUUID()
  commandId!: string;

  @IsIn(ACK_STATUSES)
  status!: AckStatus;

  /** At most 4 KiB as JSON. */
  @IsOptional()
  @IsObject()
  @ValidateBy({
    name: 'maxJsonBytes',
    validator: {
      validate: (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= MAX_RESULT_BYTES,
      defaultMessage: () => `$property must not exceed ${String(MAX_RESULT_BYTES)} bytes`,
    },
  })
  result?: Record<string, unknown>;

  @IsOptional()
  @IsString()
  @MaxLength(64)
  errorCode?: string;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  errorMessage?: string;
}
