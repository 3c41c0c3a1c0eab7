import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiExtraModels,
  ApiOkResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { FormerlyAt } from '../../platform/http/routes/formerly-at.decorator.js';
import { Probe } from '../../platform/logging/probe.decorator.js';
import { Unlimited } from '../../platform/rate-limit/rate-limit.decorator.js';
import { DependencyHealthDto, HealthDto } from './health.dto.js';
import { HealthService } from './health.service.js';
import { MetricsService } from './metrics.service.js';

@ApiTags('Operations')
@ApiExtraModels(DependencyHealthDto)
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly metrics: MetricsService,
  ) {}

  /** State of this process and its dependencies. */
  @Get('api/health')
  @FormerlyAt('/health/detailed')
  @Public()
  @Unlimited()
  @Probe()
  @ApiOkResponse({ type: HealthDto })
  @ApiServiceUnavailableResponse({ type: HealthDto, description: 'A critical dependency does not answer.' })
  async report(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthCheckResult> {
    return withStatus(reply, await this.health.report());
  }

  /** Whether the process runs; for a liveness probe. */
  @Get('api/health/live')
  @Public()
  @Unlimited()
  @Probe()
  @ApiOkResponse({ type: HealthDto })
  live(): { status: string } {
    return this.health.live();
  }

  /** Whether to send work here; for a readiness probe and load balancers. 503 while it drains. */
  @Get('api/health/ready')
  @Public()
  @Unlimited()
  @Probe()
  @ApiOkResponse({ type: HealthDto })
  @ApiServiceUnavailableResponse({
    type: HealthDto,
    description: 'A critical dependency does not answer, or the process drains.',
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthCheckResult> {
    return withStatus(reply, await this.health.ready());
  }

  @Get('metrics')
  @FormerlyAt('/health/metrics')
  @Public()
  @Unlimited()
  @Probe()
  @ApiExcludeEndpoint()
  @Header('Cache-Control', 'no-store')
  async scrape(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { contentType, text } = await this.metrics.scrape({
      peer: request.socket.remoteAddress,
      headers: request.headers,
    });
    await reply.type(contentType).send(text);
  }
}

/** 200 while it serves, degraded or not; 503 otherwise. Never cached. */
function withStatus(reply: FastifyReply, result: HealthCheckResult): HealthCheckResult {
  void reply.header('Cache-Control', 'no-store').status(['ok', 'degraded'].includes(result.status) ? 200 : 503);
  return result;
}
