import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize } from '../../platform/auth/authorize.decorator.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { RotateKeysDto, SigningKeyListDto, toSigningKeyListDto } from './signing-keys.dto.js';
import { SigningKeysService } from './signing-keys.service.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  SigningKeyInUseError,
  SigningKeyNotFoundError,
  SigningKeyRetiredError,
  TooManyKeysError,
} from '../../platform/crypto/crypto.errors.js';

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
   * Let the next keys sign from now on. What was signed stays valid until it expires, so no user is signed out and no
   * order is lost. It also happens by itself, every `KEY_ROTATION_INTERVAL`. The purpose is in the body or in the
   * query; with neither, both rotate.
   */
  @Post('rotate')
  @Authorize('admin')
  @Audit('signing_keys_rotated')
  @HttpCode(HttpStatus.OK)
  @ApiBody({ type: RotateKeysDto, required: false })
  @ApiResponse({ status: 200, type: SigningKeyListDto, description: 'The keys as they are now.' })
  @Refuses(TooManyKeysError)
  async rotate(@Body() body: RotateKeysDto, @Query() query: RotateKeysDto): Promise<SigningKeyListDto> {
    return toSigningKeyListDto(await this.keys.rotate(body.purpose ?? query.purpose));
  }

  /**
   * Retire a key that leaked, at once: within a minute no process accepts what it signed. Clients refresh access tokens
   * that it signed; locks refuse orders that it signed and that were not carried out yet. 409 `signing_key_in_use` for
   * the key that signs: rotate first.
   */
  @Post(':kid/retire')
  @Authorize('admin')
  @Audit('signing_key_retired')
  @HttpCode(HttpStatus.OK)
  @ApiParam({ name: 'kid', schema: { type: 'string', example: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' } })
  @ApiResponse({ status: 200, type: SigningKeyListDto, description: 'The keys as they are now.' })
  @Refuses(SigningKeyNotFoundError, SigningKeyInUseError, SigningKeyRetiredError)
  async retire(@Param('kid') kid: string): Promise<SigningKeyListDto> {
    return toSigningKeyListDto(await this.keys.retire(kid));
  }
}
