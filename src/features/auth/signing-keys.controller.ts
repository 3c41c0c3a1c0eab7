import { Controller, Get, HttpCode, HttpStatus, Post, Query } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audited-route.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { PROBLEM_RESPONSE } from '../../platform/http/problem.dto.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { RotateKeysQueryDto, SigningKeyListDto, toSigningKeyListDto } from './signing-keys.dto.js';
import { SigningKeysService } from './signing-keys.service.js';

@ApiTags('Signing keys')
@Controller('auth/signing-keys')
@RateLimit('admin')
export class SigningKeysController {
  constructor(private readonly keys: SigningKeysService) {}

  /** The keys that sign access tokens and orders, and those that did. */
  @Get()
  @Authorize('admin')
  async list(): Promise<SigningKeyListDto> {
    return toSigningKeyListDto(await this.keys.list());
  }

  /**
   * Let the next keys sign from now on. What was signed stays valid until it expires, so nobody is signed out and no
   * order is lost. It also happens by itself, every `KEY_ROTATION_INTERVAL`.
   */
  @Post('rotate')
  @Authorize('admin')
  @Audit('signing_keys_rotated')
  @HttpCode(HttpStatus.OK)
  @ApiResponse({ status: 200, type: SigningKeyListDto, description: 'The keys as they are now.' })
  @ApiResponse({ status: 409, description: 'Too many earlier keys still verify.', ...PROBLEM_RESPONSE })
  async rotate(@Query() { purpose }: RotateKeysQueryDto): Promise<SigningKeyListDto> {
    return toSigningKeyListDto(await this.keys.rotate(purpose));
  }
}
