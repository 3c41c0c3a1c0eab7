import { Controller, Get, Header, Param, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import accepts from 'accepts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppConfig } from '../../config/app-config.js';
import { Public } from '../../platform/auth/authorize.decorator.js';
import { httpProblems, problemsUrl } from '../../platform/http/problems/http-problems.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { problemPage, problemsPage } from './problem-page.js';
import { UnknownProblemCodeError } from './problems.errors.js';
import { ProblemTypeDto, ProblemTypeListDto, toProblemTypeDto } from './problems.dto.js';

/** What the `type` of a refusal leads to (RFC 9457, section 3.1.1). */
@ApiTags('Problems')
@Controller('problems')
export class ProblemsController {
  readonly #problems: readonly ProblemTypeDto[];

  constructor({ http }: AppConfig) {
    this.#problems = httpProblems().map((problem) => toProblemTypeDto(problem, problemsUrl(http.publicUrl)));
  }

  /** Every kind of refusal: what it means, how it comes about, and what to do. As a page for browsers. */
  @Get()
  @Public()
  @Header('Cache-Control', 'public, max-age=3600')
  @ApiOkResponse({ type: ProblemTypeListDto })
  list(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): ProblemTypeListDto | string {
    return inWantedForm(request, reply, { items: [...this.#problems] }, () => problemsPage(this.#problems));
  }

  /** One kind of refusal. Its address is the `type` of the refusal. As a page for browsers. */
  @Get(':code')
  @Public()
  @Header('Cache-Control', 'public, max-age=3600')
  @ApiParam({ name: 'code', schema: { type: 'string', example: 'device_offline' } })
  @ApiOkResponse({ type: ProblemTypeDto })
  @Refuses(UnknownProblemCodeError)
  get(
    @Param('code') code: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): ProblemTypeDto | string {
    const problem = this.#problems.find((each) => each.code === code);
    if (!problem) {
      throw new UnknownProblemCodeError();
    }
    return inWantedForm(request, reply, problem, () => problemPage(problem));
  }
}

/** HTML for those who prefer it to JSON (RFC 9110, section 12.5.1); JSON otherwise. */
function inWantedForm<T>(request: FastifyRequest, reply: FastifyReply, value: T, page: () => string): T | string {
  void reply.header('Vary', 'Accept');
  if (accepts(request.raw).type(['json', 'html']) !== 'html') {
    return value;
  }
  void reply.type('text/html; charset=utf-8');
  return page();
}
