import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { ShareTimesDto } from './shares.dto.js';

const MAX_COUNT = 20;
const COUNT = 10;

export class OpeningsQueryDto {
  /** RFC 3339: from when on; from now on when it is left out. */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('from', 'since')
  after?: string;

  /** How many, at most 20. */
  @IfGiven()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_COUNT)
  @OftenCalled('limit', 'n')
  count: number = COUNT;
}

/** A schedule to look at before a share is given with it. */
export class PreviewScheduleDto extends ShareTimesDto {
  /**
   * RFC 3339: from when on; from now on when it is left out.
   * @example 2027-03-27T00:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('since')
  after?: string;

  /**
   * How many times, at most 20.
   * @example 5
   */
  @ApiPropertyOptional()
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(MAX_COUNT)
  @OftenCalled('limit', 'n')
  count: number = COUNT;
}
