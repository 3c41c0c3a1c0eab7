import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { TakesNoQuery } from '../../platform/http/validation/no-query.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { RetentionDto } from './retention.dto.js';
import { RetentionService } from './retention.service.js';

@ApiTags('Operations')
@RateLimit('admin')
@Controller('retention')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  /** What is kept how long, and how the rules do that delete it: of the whole installation, whichever processes run them. */
  @Get()
  @Authorize('admin')
  @TakesNoQuery()
  async report(): Promise<RetentionDto> {
    return { rules: await this.retention.list() };
  }
}
