import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { UplinkChannel } from '../../../contracts/mqtt.js';
import { ACCESS_RULE, type AccessRule } from '../../auth/authorize.decorator.js';
import { Refuses } from '../../http/problems/refuses.decorator.js';
import { addRouteConfig } from '../../http/route-config.js';
import { DeviceLimitedError, DeviceTokenInvalidError } from './device-request.errors.js';

/** The name of the device token in the OpenAPI document. */
export const DEVICE_TOKEN_SCHEME = 'deviceToken';

/**
 * Only the device in the path may call this route, with its token, to say what it says on this channel of MQTT. What
 * devices say is history and no deed of a person: it is not audited.
 */
export function DeviceRoute(channel: UplinkChannel): MethodDecorator {
  return applyDecorators(
    SetMetadata(ACCESS_RULE, { public: false, demand: 'uplink' } satisfies AccessRule),
    addRouteConfig({ uplinkChannel: channel }),
    ApiBearerAuth(DEVICE_TOKEN_SCHEME),
    Refuses(DeviceTokenInvalidError, DeviceLimitedError),
  );
}

/** The id of the device that calls. Only on routes with `@DeviceRoute`. */
export const CallingDevice = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { uplink } = context.switchToHttp().getRequest<FastifyRequest>();
  if (!uplink) {
    throw new Error('The route has no device: is its @DeviceRoute missing?');
  }
  return uplink.deviceId;
});
