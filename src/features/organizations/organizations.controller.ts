import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Patch,
  Post,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { OrganizationRef } from '../../contracts/resources.js';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { Cached } from '../../platform/cache/cached.decorator.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { ReadVersioned, VersionTagInterceptor } from '../../platform/http/conditional/version-tag.interceptor.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import {
  CreateOrganizationDto,
  OrganizationDto,
  OrganizationPageDto,
  toOrganizationDto,
  toOrganizationPageDto,
  UpdateOrganizationDto,
} from './organizations.dto.js';
import { OrganizationScopeService } from './organization-scope.service.js';
import { OrganizationsService } from './organizations.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  OrganizationChangedError,
  OrganizationNotFoundError,
  TooManyOrganizationsError,
} from './organizations.errors.js';
import { AccountCannotActError } from '../users/users.errors.js';
import { InvalidCursorError } from '../../shared/cursor.js';

@ApiTags('Organizations')
@Controller('organizations')
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  /** Create an organization, as its owner. 409 `too_many_organizations` for a member of as many as one account may be. */
  @Post()
  @Authorize()
  @Audit('organization_created')
  @Idempotent()
  @Refuses(TooManyOrganizationsError, AccountCannotActError)
  async create(
    @CurrentUser() user: Principal,
    @Body() { name }: CreateOrganizationDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrganizationDto> {
    const organization = await this.organizations.create(user.userId, name);
    void reply.header('Location', `/api/v1/organizations/${organization.id}`);
    return toOrganizationDto(organization);
  }

  /** List the organizations I am a member of, oldest first. */
  @Get()
  @Authorize()
  @Cached({ category: 'users', tags: (userId) => [`account:${userId}`], scope: OrganizationScopeService })
  @Refuses(InvalidCursorError)
  async list(@CurrentUser() user: Principal, @Query() page: PageQueryDto): Promise<OrganizationPageDto> {
    return toOrganizationPageDto(await this.organizations.list(user.userId, page));
  }

  /** One organization, with its version as `ETag`. */
  @Get(':organizationId')
  @Authorize('organization:viewer')
  @ReadVersioned()
  async get(@Target() organization: OrganizationRef, @CurrentUser() user: Principal): Promise<OrganizationDto> {
    return toOrganizationDto(await this.organizations.get(user.userId, organization.id));
  }

  /** Rename an organization. With `If-Match`, only a version it names. */
  @Patch(':organizationId')
  @Authorize('organization:manager')
  @Audit('organization_updated')
  @TakesIfMatch(OrganizationChangedError)
  @UseInterceptors(VersionTagInterceptor)
  @Refuses(OrganizationNotFoundError)
  async update(
    @Target() organization: OrganizationRef,
    @CurrentUser() user: Principal,
    @Body() { name }: UpdateOrganizationDto,
    @IfMatch() versions?: number[],
  ): Promise<OrganizationDto> {
    return toOrganizationDto(await this.organizations.rename(user.userId, organization.id, name, versions));
  }

  /** Delete an organization with its memberships and invitations. Its devices stay with their owners. */
  @Delete(':organizationId')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('organization:owner')
  @Audit('organization_deleted')
  @TakesIfMatch(OrganizationChangedError)
  @Refuses(OrganizationNotFoundError)
  async delete(
    @Target() organization: OrganizationRef,
    @CurrentUser() user: Principal,
    @IfMatch() versions?: number[],
  ): Promise<void> {
    await this.organizations.delete(user.userId, organization.id, versions);
  }
}
