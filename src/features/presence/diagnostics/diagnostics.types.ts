import type { CommandName, CommandState } from '../../../contracts/commands.js';
import type { LinkKind } from '../../../contracts/devices.js';

/** What was refused of a device, all refusals of one kind together. */
export interface RefusalCount {
  readonly code: string;
  readonly count: number;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly detail: string | null;
}

/** An open link of a device. */
export interface OpenLink {
  readonly kind: LinkKind;
  readonly boot: string;
  readonly connectedAt: Date;
  readonly lastSeenAt: Date;
}

/** The last birth of a device, and what it is known to have reported since. */
export interface LastBirth {
  readonly at: Date;
  readonly boot: string | null;
  readonly uptimeMs: number | null;
  readonly firmwareVersion: string | null;
}

/** The order that was sent to a device last. */
export interface LastOrder {
  readonly commandId: string;
  readonly name: CommandName;
  readonly sentAt: Date;
  readonly attempts: number;
  readonly state: CommandState;
}

/** The command of a device that had its first ack last, and what became of it. */
export interface LastAck {
  readonly commandId: string;
  readonly name: CommandName;
  readonly at: Date;
  readonly state: CommandState;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

/** What is known of the orders of a device. */
export interface RecentOrders {
  readonly lastOrder: LastOrder | null;
  readonly lastAck: LastAck | null;
}

/** Reads them: commands belong to a feature above this one, which registers how. */
export type RecentOrdersReader = (deviceId: string) => Promise<RecentOrders>;

/** Whether a device gets what is published on its `commands`, by what has been seen since its last birth. */
export const SUBSCRIPTION_STATES = ['subscribed', 'not_subscribed', 'unknown'] as const;

export interface Subscription {
  readonly state: (typeof SUBSCRIPTION_STATES)[number];
  /** When that was seen; null where nothing was. */
  readonly at: Date | null;
}

/** What is kept of a device for its diagnostics. */
export interface LineFacts {
  /** One of each kind at most, the one that was heard last first. */
  readonly links: readonly OpenLink[];
  readonly lastBirth: LastBirth | null;
  /** Null when the device is not cut off. */
  readonly cutUntil: Date | null;
  readonly refusals: readonly RefusalCount[];
}

/** What a device is told about itself. */
export interface Diagnostics extends LineFacts, RecentOrders {
  readonly subscription: Subscription;
}

/** Refusals that wait to be written. */
export interface HeldRefusals {
  readonly deviceId: string;
  readonly code: string;
  readonly count: number;
  readonly detail: string | null;
  /** When the first and the last of them happened, on the monotonic clock of this process. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** For how long the last of them cut the device. */
  readonly cutMs: number | null;
}
