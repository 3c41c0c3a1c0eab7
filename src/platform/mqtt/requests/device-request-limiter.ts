import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { deviceTopic, MAX_MQTT_PAYLOAD_BYTES, type UplinkChannel } from '../../../contracts/mqtt.js';
import { canonicalId, isUuid } from '../../../shared/ids.js';
import { bearerTokenOf } from '../../auth/bearer-token.js';
import { newContext, runInContext } from '../../context/request-context.js';
import { IpRateLimiter } from '../../rate-limit/ip-rate-limiter.js';
import { DeviceAuthenticator } from '../device-authenticator.js';
import { CutoffRegistry } from '../limits/cutoff-registry.js';
import { DeviceLimiter } from '../limits/device-limiter.js';
import { DeviceOwnerCache } from '../limits/device-owner-cache.js';
import { FailedLoginLimiter, type LoginAttempt } from '../limits/failed-login-limiter.js';
import { RejectedMessages } from '../rejected-messages.js';
import { DeviceLimitedError, DeviceTokenInvalidError } from './device-request.errors.js';

/** A device without a connection sends one request after the other. */
const MAX_UNDER_WAY = 4;
const RETRY_MS = 1_000;
const RETRY_LOGIN_MS = 30_000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Devices call this route with their token, to say what they say on this channel of MQTT. */
    uplinkChannel?: UplinkChannel;
  }
  interface FastifyRequest {
    /** The device that has shown its token, and where it would say the same over MQTT. */
    uplink?: { readonly deviceId: string; readonly topic: string };
  }
}

/**
 * Lets devices in that send requests, before their bodies are read: by their tokens, and by the limits of the device line in
 * place of those of addresses, since a building has many devices behind one. Failures are limited as those of MQTT are.
 */
@Injectable()
export class DeviceRequestLimiter {
  /** Requests under way, by device. */
  readonly #underWay = new Map<string, number>();

  constructor(
    private readonly authenticator: DeviceAuthenticator,
    private readonly logins: FailedLoginLimiter,
    private readonly limiter: DeviceLimiter,
    private readonly owners: DeviceOwnerCache,
    private readonly cutoffs: CutoffRegistry,
    private readonly refusals: RejectedMessages,
    private readonly ips: IpRateLimiter,
  ) {}

  /** Call it before the limits of addresses are installed: they leave alone what is admitted here. */
  install(fastify: FastifyInstance): void {
    fastify.addHook('onRequest', async (request, reply) => {
      // A route that does not exist has no configuration.
      const channel = (request.routeOptions.config as { uplinkChannel?: UplinkChannel } | undefined)?.uplinkChannel;
      if (channel !== undefined) {
        request.settledAsAnonymous = true;
        await this.admit(request, reply, channel);
      }
    });
  }

  /** @throws DeviceTokenInvalidError, DeviceLimitedError */
  private async admit(request: FastifyRequest, reply: FastifyReply, channel: UplinkChannel): Promise<void> {
    const deviceId = canonicalId((request.params as { deviceId?: string }).deviceId ?? '');
    await this.authenticate(deviceId, request);
    if (this.cutoffs.isCut(deviceId)) {
      this.refusals.operation('request', 'cut_off', { deviceId });
      throw new DeviceLimitedError('cut_off', this.cutoffs.remainingMs(deviceId));
    }
    this.ips.settle(request);
    // From here on, what is refused is held against the device.
    request.uplink = { deviceId, topic: deviceTopic(deviceId, channel) };
    if (request.requestContext) {
      request.requestContext.actor = `device:${deviceId}`;
    }
    const limit = this.limiter.refuse(deviceId, this.owners.get(deviceId), bytesOf(request));
    if (limit !== null) {
      throw new DeviceLimitedError(limit, RETRY_MS);
    }
    this.begin(deviceId, reply);
  }

  private async authenticate(deviceId: string, request: FastifyRequest): Promise<void> {
    const token = bearerTokenOf(request.headers.authorization) ?? '';
    const attempt: LoginAttempt = { address: request.ip, deviceId, token: Buffer.from(token) };
    if (this.logins.isRefused(attempt)) {
      this.refusals.operation('request', 'too_many_failures');
      throw new DeviceLimitedError('too_many_failures', RETRY_LOGIN_MS);
    }
    const isValid = token !== '' && isUuid(deviceId) && (await this.verify(deviceId, token));
    this.logins[isValid ? 'succeeded' : 'failed'](attempt);
    if (!isValid) {
      this.refusals.operation('request', 'bad_token', { deviceId });
      throw new DeviceTokenInvalidError(token !== '');
    }
  }

  /** In the name of the device, so that its requests have no more of the database than messages. */
  private verify(deviceId: string, token: string): Promise<boolean> {
    return runInContext(newContext('http', `device:${deviceId}`), () => this.authenticator.verify(deviceId, token));
  }

  /** @throws DeviceLimitedError for a device that does not wait for its answers. */
  private begin(deviceId: string, reply: FastifyReply): void {
    const others = this.#underWay.get(deviceId) ?? 0;
    if (others >= MAX_UNDER_WAY) {
      throw new DeviceLimitedError('too_many_waiting', RETRY_MS);
    }
    this.#underWay.set(deviceId, others + 1);
    reply.raw.once('close', () => {
      const left = (this.#underWay.get(deviceId) ?? 1) - 1;
      if (left > 0) {
        this.#underWay.set(deviceId, left);
      } else {
        this.#underWay.delete(deviceId);
      }
    });
  }
}

/** A body without a length may be as long as any. */
function bytesOf({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : MAX_MQTT_PAYLOAD_BYTES;
}
