import type { EventType } from '../../contracts/events.js';

export const WEBHOOK_STATES = ['ENABLED', 'DISABLED'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];

/** `owner`: by who manages it. `failing`: nothing was taken for three days. `gone`: it answered 410. `overfull`: 100,000 waited. */
export const WEBHOOK_DISABLED_REASONS = ['owner', 'failing', 'gone', 'overfull'] as const;
export type WebhookDisabledReason = (typeof WEBHOOK_DISABLED_REASONS)[number];

export const DELIVERY_STATES = ['PENDING', 'DELIVERED', 'FAILED'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Why an attempt was not taken. `http_status`: it was answered with another status than 2xx. */
export const DELIVERY_FAILURES = [
  'http_status',
  'address_not_allowed',
  'name_not_found',
  'connection_failed',
  'tls_failed',
  'timed_out',
  'redirected',
  'invalid_answer',
  'not_permitted',
  'endpoint_disabled',
  'internal',
] as const;
export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number];

/** The `type` of a message that only tries an endpoint out. */
export const TEST_TYPE = 'webhook_test';

/** Stands for the device where an event is about none. */
export const NO_DEVICE = '00000000-0000-0000-0000-000000000000';

/** Whose it is: a person's own, or an organization's. */
export type WebhookOwner =
  | { readonly userId: string; readonly organizationId: null }
  | { readonly userId: null; readonly organizationId: string };

/** What an endpoint is told, and where. */
export interface WebhookSettings {
  readonly url: string;
  readonly description: string | null;
  /** Empty: every type. */
  readonly eventTypes: readonly EventType[];
  /** Empty: every device. */
  readonly deviceIds: readonly string[];
}

export type WebhookEndpoint = WebhookSettings &
  WebhookOwner & {
    readonly id: string;
    readonly state: WebhookState;
    readonly disabledReason: WebhookDisabledReason | null;
    readonly disabledAt: Date | null;
    /** Failed attempts since the last that was taken. */
    readonly failures: number;
    readonly failingSince: Date | null;
    /** Until then, the secret before the present one signs as well. */
    readonly previousUntil: Date | null;
    readonly version: number;
    readonly createdAt: Date;
    readonly updatedAt: Date;
  };

/** An event on its way to an endpoint, or at its end. */
export interface WebhookDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly deviceId: string | null;
  readonly sequence: number | null;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Null when no further attempt is planned, and while an earlier one of its device holds it back. */
  readonly nextAttemptAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: DeliveryFailure | null;
  /** Of the last attempt, in milliseconds. */
  readonly lastDurationMs: number | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}
