import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceRef } from '../../../contracts/resources.js';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { EmailQuotaExceededError } from '../../auth/auth.errors.js';
import { AccountCannotActError, UnlockRestrictedError } from '../../users/users.errors.js';
import { toActivationCodeDto } from '../credentials/activations.dto.js';
import { DeviceNotFoundError, HardwareIdTakenError, TooManyDevicesError } from '../devices.errors.js';
import { TransferAnswersService } from './transfer-answers.service.js';
import {
  AcceptedTransferDto,
  AcceptTransferDto,
  AnswerTransferDto,
  FactoryResetDto,
  OfferedTransferPageDto,
  OfferTransferDto,
  toAcceptedTransferDto,
  toOfferedTransferPageDto,
  toTransferDto,
  TransferDto,
} from './transfers.dto.js';
import {
  InvalidTransferError,
  TransferNotFoundError,
  TransferPendingError,
  DeviceAlreadyYoursError,
} from './transfers.errors.js';
import { TransfersService } from './transfers.service.js';

@ApiTags('Devices')
@RateLimit('device')
@Controller('devices')
export class TransfersController {
  constructor(
    private readonly transfers: TransfersService,
    private readonly answers: TransferAnswersService,
  ) {}

  /**
   * Offer a device to another person by mail, for 7 days. The answer is the same whether the e-mail address has an account or
   * not. 409 `transfer_pending` while an offer is open.
   */
  @Post(':deviceId/transfer')
  @Authorize('device:owner')
  @Audit('transfer_offered')
  @Idempotent()
  @RateLimit('device', 'mail')
  @Refuses(
    DeviceNotFoundError,
    TransferPendingError,
    DeviceAlreadyYoursError,
    TransferNotFoundError,
    EmailQuotaExceededError,
    UnlockRestrictedError,
    AccountCannotActError,
  )
  async offer(
    @Target() { id }: DeviceRef,
    @CurrentUser() { userId }: Principal,
    @Body() { email }: OfferTransferDto,
  ): Promise<TransferDto> {
    return toTransferDto(await this.transfers.offer(id, userId, email));
  }

  /** The open offer of a device. */
  @Get(':deviceId/transfer')
  @Authorize('device:owner')
  @Refuses(TransferNotFoundError)
  async get(@Target() { id }: DeviceRef): Promise<TransferDto> {
    return toTransferDto(await this.transfers.get(id));
  }

  /** Cancel the open offer of a device: its token is invalid at once. */
  @Delete(':deviceId/transfer')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('device:owner')
  @Audit('transfer_cancelled')
  @Refuses(DeviceNotFoundError, TransferNotFoundError)
  async cancel(@Target() { id }: DeviceRef, @CurrentUser() { userId }: Principal): Promise<void> {
    await this.transfers.cancel(id, userId);
  }

  /**
   * What is offered to me, oldest first. With `REGISTRATION=open`, as under `npm start`, it is empty: an account need not have its e-mail
   * address then, and the mailed token is the only way to answer an offer.
   */
  @Get('transfers')
  @Authorize()
  @Refuses(InvalidCursorError)
  async list(@CurrentUser() { userId }: Principal, @Query() page: PageQueryDto): Promise<OfferedTransferPageDto> {
    return toOfferedTransferPageDto(await this.answers.list(userId, page));
  }

  /**
   * Accept a device by the mailed token: it is mine from then on. I see nothing older than that; shares and queued orders of
   * its last owner have ended, and so has every token: the device is activated again with the code of the answer. At a broker of the
   * operator's, its account must be deleted before: who knows the old password is taken for the device once it is activated. 422
   * `invalid_transfer` when there is no such offer (any more); 403 `unlock_restricted` while my account unlocks no door: the offer stays.
   */
  @Post('transfers/accept')
  @HttpCode(HttpStatus.OK)
  @Authorize()
  @Audit('device_transferred')
  @SecretAnswer()
  @Idempotent()
  @Refuses(InvalidTransferError, UnlockRestrictedError, TooManyDevicesError, HardwareIdTakenError)
  async accept(
    @CurrentUser() { userId }: Principal,
    @Body() { token }: AcceptTransferDto,
  ): Promise<AcceptedTransferDto> {
    return toAcceptedTransferDto(await this.answers.accept(userId, { token }));
  }

  /**
   * The same by the id of the offer, for the account that it is made to. With `REGISTRATION=open` it is always 404
   * `transfer_not_found`: the mailed token is the only way then.
   */
  @Post('transfers/:transferId/accept')
  @HttpCode(HttpStatus.OK)
  @Authorize()
  @Audit('device_transferred')
  @SecretAnswer()
  @Idempotent()
  @Refuses(TransferNotFoundError, UnlockRestrictedError, TooManyDevicesError, HardwareIdTakenError)
  async acceptById(
    @CurrentUser() { userId }: Principal,
    @Param('transferId') id: string,
    @Body() { token }: AnswerTransferDto,
  ): Promise<AcceptedTransferDto> {
    return toAcceptedTransferDto(await this.answers.accept(userId, { id, token }));
  }

  /** Decline a device by the mailed token: the offer ends. With `REGISTRATION=open` this is the only way. */
  @Post('transfers/decline')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('transfer_declined')
  @Idempotent()
  @Refuses(InvalidTransferError)
  async declineByToken(@CurrentUser() { userId }: Principal, @Body() { token }: AcceptTransferDto): Promise<void> {
    await this.answers.decline(userId, { token });
  }

  /**
   * The same by the id of the offer, for the account that it is made to. With `REGISTRATION=open` it is always 404
   * `transfer_not_found`: the mailed token is the only way then.
   */
  @Post('transfers/:transferId/decline')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('transfer_declined')
  @Idempotent()
  @Refuses(TransferNotFoundError)
  async decline(
    @CurrentUser() { userId }: Principal,
    @Param('transferId') id: string,
    @Body() { token }: AnswerTransferDto,
  ): Promise<void> {
    await this.answers.decline(userId, { id, token });
  }

  /**
   * Make a device as it was when it was new: shares, its organization, queued orders, settings and every token end; room, location,
   * position, metadata and what it reported are cleared, and it is called what its maker called it, or else its hardware id. Its
   * history stays mine. It is activated with the code of the answer. At a broker of the operator's, its account must be deleted before:
   * who knows the old password is taken for the device once it is activated.
   */
  @Post(':deviceId/factory-reset')
  @HttpCode(HttpStatus.OK)
  @Authorize('device:owner')
  @Audit('device_reset')
  @SecretAnswer()
  @Idempotent()
  @Refuses(DeviceNotFoundError, UnlockRestrictedError)
  async reset(@Target() { id }: DeviceRef, @CurrentUser() { userId }: Principal): Promise<FactoryResetDto> {
    const activation = await this.transfers.factoryReset(id, userId);
    return { activation: activation && toActivationCodeDto(id, activation) };
  }
}
