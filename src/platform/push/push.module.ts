import { Module } from '@nestjs/common';
import { ApnsClient } from './apns-client.js';
import { FcmClient } from './fcm-client.js';
import { WebPushClient } from './web-push-client.js';

/** Clients of push services. Each is there without settings, too, and then says `not_configured`. */
@Module({ providers: [WebPushClient, FcmClient, ApnsClient], exports: [WebPushClient, FcmClient, ApnsClient] })
export class PushModule {}
