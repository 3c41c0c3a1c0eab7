import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** One dependency. `degraded`: the service goes on without it, more slowly. */
export class DependencyHealthDto {
  @ApiProperty({ enum: ['up', 'down', 'degraded'], example: 'down' })
  status!: string;

  /** Why it is not `up`. Further members are numbers and names for the operator. */
  @ApiPropertyOptional({ example: 'does not answer' })
  reason?: string;
}

/** The state of this process and of what it depends on. */
export class HealthDto {
  /** `ok`, `degraded` (still serving), `error`, `shutting_down`. */
  @ApiProperty({ example: 'ok' })
  status!: string;

  /** By dependency. */
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { $ref: '#/components/schemas/DependencyHealthDto' },
    example: { postgres: { status: 'up' }, redis: { status: 'up' } },
  })
  details?: Record<string, DependencyHealthDto>;
}
