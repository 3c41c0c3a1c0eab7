import type { WebPushSubscription } from '../../../platform/push/web-push-client.js';

/** Services that push to browsers and apps. */
export const PUSH_SERVICES = ['web_push', 'fcm', 'apns'] as const;
export type PushService = (typeof PUSH_SERVICES)[number];

/** Where a push goes: each of them is a secret of the browser or app. */
export type PushTarget =
  | ({ readonly service: 'web_push' } & WebPushSubscription)
  | { readonly service: 'fcm' | 'apns'; readonly token: string };

/** What is set up here. */
export interface AvailablePushServices {
  readonly services: readonly PushService[];
  /** With which browsers subscribe; null without `web_push`. */
  readonly applicationServerKey: string | null;
}

/** A subscription, as its owner sees it. */
export interface PushSubscription {
  readonly id: string;
  readonly service: PushService;
  readonly sessionId: string;
  readonly userAgent: string | null;
  /** The last characters of the endpoint or token. */
  readonly ending: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}
