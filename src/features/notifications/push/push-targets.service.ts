import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { sha256 } from '../../../platform/crypto/digest.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';
import type { ProviderOutcome } from '../../../platform/providers/provider-outcome.js';
import { ApnsClient } from '../../../platform/push/apns-client.js';
import { FcmClient } from '../../../platform/push/fcm-client.js';
import type { PushMessage } from '../../../platform/push/push-message.js';
import { WebPushClient } from '../../../platform/push/web-push-client.js';
import {
  type AvailablePushServices,
  PUSH_SERVICES,
  type PushService,
  type PushTarget,
} from './push-subscriptions.types.js';

const SHOWN_CHARACTERS = 4;

/** Keeps targets sealed, and pushes to them by the client of their service. */
@Injectable()
export class PushTargetsService {
  readonly #key: Buffer;
  readonly #isSetUp: Readonly<Record<PushService, boolean>>;

  constructor(
    config: AppConfig,
    private readonly webPush: WebPushClient,
    private readonly fcm: FcmClient,
    private readonly apns: ApnsClient,
  ) {
    this.#key = deriveKey(config.masterKey(), 'seal_push_targets');
    this.#isSetUp = { web_push: webPush.publicKey !== null, fcm: fcm.isConfigured, apns: apns.isConfigured };
  }

  available(): AvailablePushServices {
    return {
      services: PUSH_SERVICES.filter((service) => this.#isSetUp[service]),
      applicationServerKey: this.webPush.publicKey,
    };
  }

  seal(target: PushTarget, subscriptionId: string): Buffer {
    return encrypt(this.#key, Buffer.from(JSON.stringify(target)), aadOf(subscriptionId));
  }

  /** @throws DecryptionError */
  open(sealed: Uint8Array, subscriptionId: string): PushTarget {
    return JSON.parse(decrypt(this.#key, sealed, aadOf(subscriptionId)).toString()) as PushTarget;
  }

  push(target: PushTarget, message: PushMessage): Promise<ProviderOutcome> {
    if (target.service === 'web_push') {
      return this.webPush.send(target, message);
    }
    return target.service === 'fcm' ? this.fcm.send(target.token, message) : this.apns.send(target.token, message);
  }
}

/** By which one is found again. Nothing leads back from it, because a target is too long to be guessed. */
export function targetHashOf(target: PushTarget): Buffer {
  return sha256(`${target.service} ${addressOf(target)}`);
}

/** By which its owner knows it again. */
export function endingOf(target: PushTarget): string {
  return addressOf(target).slice(-SHOWN_CHARACTERS);
}

function addressOf(target: PushTarget): string {
  return target.service === 'web_push' ? target.endpoint : target.token;
}

function aadOf(subscriptionId: string): string {
  return `push_subscriptions.sealed.${subscriptionId}`;
}
