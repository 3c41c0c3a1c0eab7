import type { NotificationChannelName, NotificationKind } from '../notifications.types.js';

/** A message as a channel sends it. */
export interface ChannelMessage {
  /** The same in each attempt. */
  readonly id: string;
  readonly userId: string;
  readonly title: string;
  readonly text: string;
  /** Where the person goes on from there. */
  readonly url: string | null;
  readonly isUrgent: boolean;
  readonly kind: NotificationKind | 'digest';
  /** Of all that it tells of, each once. */
  readonly kinds: readonly NotificationKind[];
  /** Notifications in it. */
  readonly count: number;
  /** For apps, which open what it is about. */
  readonly data: Readonly<Record<string, string>>;
  /** For how long it is of use. */
  readonly usefulForMs: number;
  /** Of the text, as a BCP 47 tag. */
  readonly language: string;
  /** Attempts before this one that failed. */
  readonly failures: number;
}

/** What became of an attempt to send one. */
export type SendOutcome =
  | { readonly sent: true; readonly providerId: string | null }
  | {
      readonly sent: false;
      /** A word for people who run the installation: nothing of what the message says. */
      readonly reason: string;
      /** Another attempt would fail as well. */
      readonly isPermanent: boolean;
      /** What the provider asks for. */
      readonly retryAfterMs: number | null;
      /** The person has no address for it: nothing failed. */
      readonly hasNoAddress?: boolean;
      /** There is no money left for it: nothing failed. */
      readonly isOverBudget?: boolean;
    };

/** A way to people outside the app. */
export abstract class NotificationTransport {
  abstract readonly name: NotificationChannelName;

  /** Those of these people whom it can reach. For the others nothing is made to be sent. */
  abstract reachable(userIds: readonly string[]): Promise<ReadonlySet<string>>;

  /** Never throws for what a provider does. Called again with the same id where it is not known whether it was sent. */
  abstract send(message: ChannelMessage): Promise<SendOutcome>;
}
