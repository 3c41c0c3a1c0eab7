import { Body, Controller, Get, HttpCode, HttpStatus, Post, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AppConfig } from '../../../config/app-config.js';
import type { DeviceRef } from '../../../contracts/resources.js';
import { Audit, AuditRead } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Public, Target } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Vital } from '../../../platform/http/admission/vital.decorator.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { ProvenBy, RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { UnlockRestrictedError } from '../../users/users.errors.js';
import { DeviceNotFoundError } from '../devices.errors.js';
import { ACTIVATION_PROOF } from './activation-proof-verifier.js';
import { ActivationCodesService } from './activation-codes.service.js';
import { ActivationService } from './activation.service.js';
import {
  ActivateDeviceDto,
  ActivationDto,
  NewActivationDto,
  QrQueryDto,
  RotatedTokenDto,
  RotateTokenDto,
  toActivationCodeDto,
  toActivationDto,
  toRotatedTokenDto,
} from './activations.dto.js';
import { InvalidActivationCodeError, ActivationCodeNotFoundError } from './credentials.errors.js';
import { DeviceTokensService } from './device-tokens.service.js';
import { qrImage, qrText } from './qr-code.js';

@ApiTags('Devices')
@Controller('devices')
export class CredentialsController {
  constructor(
    private readonly codes: ActivationCodesService,
    private readonly activation: ActivationService,
    private readonly tokens: DeviceTokensService,
    private readonly config: AppConfig,
  ) {}

  /**
   * A new activation code, valid once, for 24 hours, while I have `admin` of the device. An earlier one is not valid any more. For the
   * owner and the managers of the organization, as the QR code and the tokens are: a share, even of `admin`, is answered 403.
   */
  @Post(':deviceId/activation-code')
  @HttpCode(HttpStatus.OK)
  @Authorize('device:manager')
  @Audit('activation_code_created')
  @SecretAnswer()
  @Idempotent()
  @RateLimit('device')
  @Refuses(DeviceNotFoundError, UnlockRestrictedError)
  async createCode(@Target() { id }: DeviceRef, @CurrentUser() { userId }: Principal): Promise<NewActivationDto> {
    const made = await this.codes.create(userId, id);
    return { activation: made && toActivationCodeDto(id, made) };
  }

  /**
   * The QR code of the activation code that is valid now, as SVG or PNG. It holds JSON: `b` is the address of the broker, `d`
   * the device id, `c` the code, and `u` where the device sends them to. 404 `activation_code_not_found` without one.
   */
  @Get(':deviceId/qr')
  @Authorize('device:manager')
  @AuditRead('activation_code_shown', 'deviceId')
  @SecretAnswer()
  @RateLimit('device')
  @ApiProduces('image/svg+xml', 'image/png')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  @Refuses(ActivationCodeNotFoundError, UnlockRestrictedError)
  async qr(
    @Target() { id }: DeviceRef,
    @CurrentUser() { userId }: Principal,
    @Query() { format }: QrQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const { code } = await this.codes.show(userId, id);
    const activateUrl = `${this.config.http.publicUrl.replace(/\/+$/, '')}/api/v1/devices/activate`;
    const text = qrText({ brokerUrl: this.config.mqtt.publicUrl, deviceId: id, code, activateUrl });
    const { type, data } = await qrImage(text, format);
    void reply.header('Content-Type', type);
    return new StreamableFile(data, { type });
  }

  /**
   * Sent by the device itself, with the code that it was shown: it gets its token, and all earlier ones end. 422
   * `invalid_activation_code` for a code that is wrong, used or expired. At a broker of the operator's, the password that its account has
   * there goes on until they change it.
   */
  @Post('activate')
  @HttpCode(HttpStatus.OK)
  @Public()
  @Audit('device_activated')
  @SecretAnswer()
  @ProvenBy(ACTIVATION_PROOF, { spentBy: 422 })
  @RateLimit('activation', 'activation_device')
  @Refuses(InvalidActivationCodeError)
  async activate(@Body() { deviceId, code }: ActivateDeviceDto): Promise<ActivationDto> {
    return toActivationDto(await this.activation.activate(deviceId, code), this.config.mqtt.publicUrl);
  }

  /**
   * A new token for a device; older ones stay valid for an hour, or as long as asked for. The device is sent nothing: who asks takes
   * the token to it. At a broker of the operator's, the password that its account has there goes on until they change it. For the
   * owner and the managers of the organization.
   */
  @Post(':deviceId/token/rotate')
  @HttpCode(HttpStatus.OK)
  @Authorize('device:manager')
  @Audit('device_token_rotated')
  @SecretAnswer()
  @Idempotent()
  @RateLimit('device')
  @Refuses(DeviceNotFoundError, UnlockRestrictedError)
  async rotate(
    @Target() { id }: DeviceRef,
    @CurrentUser() { userId }: Principal,
    @Body() { overlapSeconds }: RotateTokenDto,
  ): Promise<RotatedTokenDto> {
    return toRotatedTokenDto(id, await this.tokens.rotate(userId, id, overlapSeconds));
  }

  /**
   * Revoke every token of a device, and its activation code: its connections are closed, and nothing of it is accepted until it is
   * given a token again. A broker of the operator's keeps the connection until they delete the account of the device there: what it
   * says is refused, and it gets no orders. For the owner and the managers of the organization.
   */
  @Post(':deviceId/token/revoke')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('device:manager')
  @Audit('device_tokens_revoked')
  @Idempotent()
  @RateLimit('device')
  @Refuses(DeviceNotFoundError)
  async revoke(@Target() { id }: DeviceRef, @CurrentUser() { userId }: Principal): Promise<void> {
    await this.tokens.revoke(userId, id);
  }
}
