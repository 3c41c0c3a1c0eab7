import { Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { InventoryService } from './inventory.service.js';
import {
  ClaimCodeDto,
  ListProvisionedQueryDto,
  ProvisionedDevicePageDto,
  toProvisionedDevicePageDto,
} from './inventory.dto.js';
import { AlreadyClaimedError, ProvisionedDeviceNotFoundError } from './provisioning.errors.js';

@ApiTags('Provisioning')
@RateLimit('provisioning')
@Controller('provisioned-devices')
export class InventoryController {
  constructor(private readonly inventory: InventoryService) {}

  /** What I have loaded, newest first; for an administrator, what all makers have. */
  @Get()
  @Authorize('maker')
  @Refuses(InvalidCursorError)
  async list(
    @CurrentUser() maker: Principal,
    @Query() query: ListProvisionedQueryDto,
  ): Promise<ProvisionedDevicePageDto> {
    return toProvisionedDevicePageDto(await this.inventory.list(maker, query));
  }

  /** A new claim code for a device without an owner: the old one is not valid any more. 409 `already_claimed` otherwise. */
  @Post(':provisionedId/claim-code')
  @HttpCode(HttpStatus.OK)
  @Authorize('maker')
  @Audit('claim_code_renewed')
  @SecretAnswer()
  @Idempotent()
  @Refuses(ProvisionedDeviceNotFoundError, AlreadyClaimedError)
  async renewCode(
    @Param('provisionedId') provisionedId: string,
    @CurrentUser() maker: Principal,
  ): Promise<ClaimCodeDto> {
    return { deviceId: provisionedId, claimCode: await this.inventory.renewCode(provisionedId, maker) };
  }

  /** Take a device without an owner out of the inventory. 409 `already_claimed` otherwise. */
  @Delete(':provisionedId')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('maker')
  @Audit('provisioned_device_deleted')
  @Refuses(ProvisionedDeviceNotFoundError, AlreadyClaimedError)
  async delete(@Param('provisionedId') provisionedId: string, @CurrentUser() maker: Principal): Promise<void> {
    await this.inventory.delete(provisionedId, maker);
  }
}
