import { Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { QueueFiguresReader } from '../../platform/queue/queue-figures-reader.js';
import { JOB_QUEUES } from '../../platform/queue/queue-plans.js';
import { QueuesUnavailableError } from '../../platform/queue/queue.errors.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../shared/cursor.js';
import { DeadLetterPageDto, QueuesDto, toDeadLetterPageDto, toQueueDto } from './jobs.dto.js';
import { DeadLetterNotFoundError, DeadLetterNotReplayableError, QueueNotFoundError } from './jobs.errors.js';
import { JobsService } from './jobs.service.js';

const ApiQueue = (): MethodDecorator =>
  ApiParam({ name: 'queue', description: 'The name of a queue.', enum: JOB_QUEUES, example: 'mail' });
const ApiDeadLetter = (): MethodDecorator =>
  ApiParam({ name: 'deadLetter', description: 'As listed.', example: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55' });

@ApiTags('Jobs')
@Controller('admin/queues')
@RateLimit('admin')
export class JobsController {
  constructor(
    private readonly figures: QueueFiguresReader,
    private readonly jobs: JobsService,
  ) {}

  /** The queues of jobs: what waits, how long jobs wait and take, and how many ended well or failed. */
  @Get()
  @Authorize('admin')
  @Refuses(QueuesUnavailableError)
  async list(): Promise<QueuesDto> {
    return { queues: (await this.figures.figures()).map(toQueueDto) };
  }

  /** Work of a queue that was given up, newest first. Reading it is audited. It shows neither what a mail says nor a file. */
  @Get(':queue/dead-letters')
  @Authorize('admin')
  @Audit('dead_letters_read', 'queue')
  @ApiQueue()
  @Refuses(new QueueNotFoundError('mails'), InvalidCursorError, QueuesUnavailableError)
  async letters(@Param('queue') queue: string, @Query() page: PageQueryDto): Promise<DeadLetterPageDto> {
    return toDeadLetterPageDto(await this.jobs.list(queue, page));
  }

  /**
   * Have it done once more: a mail is sent to whom it was meant for, with as many attempts as before; an export is made of what its
   * person may see by then; a webhook is posted under
   * the same id; a maintenance job runs. Of two that ask at once, one gets 404.
   */
  @Post(':queue/dead-letters/:deadLetter/replay')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('dead_letter_replayed', 'deadLetter')
  @Idempotent()
  @ApiQueue()
  @ApiDeadLetter()
  @Refuses(
    new QueueNotFoundError('mails'),
    DeadLetterNotFoundError,
    DeadLetterNotReplayableError,
    QueuesUnavailableError,
  )
  replay(@Param('queue') queue: string, @Param('deadLetter') id: string): Promise<void> {
    return this.jobs.replay(queue, id);
  }

  /** Put it aside for good: a mail is deleted; an export or a delivery of a webhook stays in the list of its owner. */
  @Delete(':queue/dead-letters/:deadLetter')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('dead_letter_discarded', 'deadLetter')
  @ApiQueue()
  @ApiDeadLetter()
  @Refuses(new QueueNotFoundError('mails'), DeadLetterNotFoundError, QueuesUnavailableError)
  discard(@Param('queue') queue: string, @Param('deadLetter') id: string): Promise<void> {
    return this.jobs.discard(queue, id);
  }
}
