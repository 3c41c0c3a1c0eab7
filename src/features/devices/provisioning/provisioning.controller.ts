import { Body, Controller, HttpCode, HttpStatus, Post, Query } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { ExtraTime, LONGEST_EXTRA_TIME_MS } from '../../../platform/http/admission/extra-time.decorator.js';
import { CsvOrJson } from '../../../platform/http/bodies/csv-body.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { checkDeviceList } from './checked-thing.js';
import {
  ProvisionedRowsDto,
  ProvisionQueryDto,
  ThingToProvisionDto,
  toProvisionedRowsDto,
} from './provisioning.dto.js';
import { UnreadableDeviceListError } from './provisioning.errors.js';
import { ProvisioningService } from './provisioning.service.js';
import { MAX_PROVISIONED_ROWS } from './provisioning.types.js';

const BODY_LIMIT_BYTES = 1_048_576;
const CSV_EXAMPLE = `hardwareId,type,name,model,firmwareVersion,room,location,latitude,longitude,metadata.floor,timeZone,ownerEmail
AA:BB:CC:00:11:22,door_lock,Front door,M-200,1.4.2,Hall,"Berlin, Hauptstr. 1",52.5163,13.3777,2,Europe/Berlin,grace@example.com
`;
const LINES_EXAMPLE = `{"_id":{"$oid":"65f0c0ffee65f0c0ffee65f0"},"deviceId":"AA:BB:CC:00:11:22","deviceType":"door_lock","name":"Front door"}
`;

@ApiTags('Provisioning')
@RateLimit('provisioning')
@Controller('devices')
export class ProvisioningController {
  constructor(private readonly provisioning: ProvisioningService) {}

  /**
   * Load up to 1,000 devices into the inventory, for people to claim: JSON, JSON lines, or CSV whose first line names the columns.
   * The list of an older backend is read as it is, in its envelope, as is what `mongoexport` wrote. CSV is UTF-8, or UTF-16 with a byte order mark; its cells are separated by
   * commas, semicolons or tabs. Each row stands for itself. Codes and tokens are shown this once; `renew` makes new
   * ones when an answer was lost.
   */
  @Post('provision')
  @HttpCode(HttpStatus.OK)
  @CsvOrJson(BODY_LIMIT_BYTES, CSV_EXAMPLE, { max: MAX_PROVISIONED_ROWS, example: LINES_EXAMPLE })
  @ExtraTime(LONGEST_EXTRA_TIME_MS)
  @Authorize('maker')
  @Audit('devices_provisioned')
  @SecretAnswer()
  @Idempotent()
  @ApiExtraModels(ThingToProvisionDto)
  @ApiBody({
    schema: {
      type: 'object',
      required: ['devices'],
      properties: {
        devices: { type: 'array', maxItems: 1_000, items: { $ref: '#/components/schemas/ThingToProvisionDto' } },
      },
    },
  })
  @Refuses(UnreadableDeviceListError)
  async provision(
    @Body() file: unknown,
    @Query() { renew = false }: ProvisionQueryDto,
    @CurrentUser() maker: Principal,
  ): Promise<ProvisionedRowsDto> {
    const { rows, leftOut } = await checkDeviceList(file);
    return toProvisionedRowsDto(await this.provisioning.provision(rows, maker, { renew }), leftOut);
  }
}
