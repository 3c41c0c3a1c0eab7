import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { PinoLogger } from 'nestjs-pino';
import { ChangesNothing } from '../../platform/audit/audit.decorator.js';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { Reports } from '../../platform/http/bodies/report-body.js';
import { LimitedLogger } from '../../platform/logging/limited-logger.js';
import { type Counter, Metrics } from '../../platform/metrics/metrics.js';
import { violationsIn } from './csp-report.js';

const BODY_LIMIT_BYTES = 16_384;

@ApiTags('Operations')
@Controller('csp-reports')
export class CspReportsController {
  readonly #violations: Counter<'directive'>;
  readonly #log: LimitedLogger;

  constructor(metrics: Metrics, logger: PinoLogger) {
    logger.setContext(CspReportsController.name);
    this.#log = new LimitedLogger(logger);
    this.#violations = metrics.counter(
      'mortise_csp_violations_total',
      'What pages tried that the content security policy forbids, as browsers report it',
      ['directive'],
    );
  }

  /**
   * Where browsers report what the content security policy forbade: it is counted, and some of it logged. Up to 16 KiB, and
   * 20 violations at once; what is no report is taken and dropped.
   */
  @Post()
  @Public()
  @ChangesNothing()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Reports(BODY_LIMIT_BYTES)
  @ApiConsumes('application/reports+json', 'application/csp-report')
  @ApiBody({ schema: { type: 'array', items: { type: 'object', additionalProperties: true } } })
  report(@Body() body: unknown): void {
    for (const violation of violationsIn(body)) {
      this.#violations.inc({ directive: violation.directive });
      this.#log.warn(violation.directive, { ...violation }, 'A page tried what the content security policy forbids');
    }
  }
}
