import { Controller, HttpCode, HttpStatus, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ChangesNothing } from '../../../platform/audit/audit.decorator.js';
import { Authorize } from '../../../platform/auth/authorize.decorator.js';
import { TicketAuthenticator } from '../../../platform/auth/tickets/ticket-authenticator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { TakesNoQuery } from '../../../platform/http/validation/no-query.interceptor.js';
import { TicketDto } from './event-stream.dto.js';

@ApiTags('Live')
@Controller('events/tickets')
export class EventTicketsController {
  constructor(private readonly tickets: TicketAuthenticator) {}

  /**
   * Get a ticket for one event stream, where no access token can be sent: an `EventSource` has no headers. It opens a stream
   * of this session once, within 30 seconds. 503 while Redis is away: poll meanwhile.
   */
  @Post()
  @HttpCode(HttpStatus.CREATED)
  // Clients are generated from this name, which the route had in another class.
  @ApiOperation({ operationId: 'EventStream_issue' })
  @Authorize()
  @ChangesNothing()
  @SecretAnswer()
  @TakesNoQuery()
  async issue(@Req() request: FastifyRequest): Promise<TicketDto> {
    return this.tickets.issue(await this.tickets.holderOf(request));
  }
}
