import { NOTIFICATION_CHANNELS, type NotificationChannel } from '../../account/preferences.types.js';
import { NOTIFICATION_KINDS, type NotificationKind } from '../notifications.types.js';
import { ruleOf } from '../domain/notification-kinds.js';

/** What a person wants of one kind over one channel. */
export interface ChannelChoice {
  readonly kind: NotificationKind;
  readonly channel: NotificationChannel;
  readonly isEnabled: boolean;
}

/** What a person wants: of all kinds, and where it differs from that. */
export interface ChannelPreferences {
  readonly channels: readonly NotificationChannel[];
  readonly choices: readonly ChannelChoice[];
}

/** Whether a person wants to be told of a kind over a channel. */
export function isWanted(
  { channels, choices }: ChannelPreferences,
  kind: NotificationKind,
  channel: NotificationChannel,
): boolean {
  const choice = choices.find((one) => one.kind === kind && one.channel === channel);
  return choice?.isEnabled ?? isWantedByDefault(channels, kind, channel);
}

/** Each kind over each channel. */
export function matrixOf(preferences: ChannelPreferences): (ChannelChoice & { readonly isDefault: boolean })[] {
  return NOTIFICATION_KINDS.flatMap((kind) =>
    NOTIFICATION_CHANNELS.map((channel) => ({
      kind,
      channel,
      isEnabled: isWanted(preferences, kind, channel),
      isDefault: !preferences.choices.some((one) => one.kind === kind && one.channel === channel),
    })),
  );
}

/** Where a mail of its own is sent anyway, another one takes an explicit choice. */
function isWantedByDefault(
  channels: readonly NotificationChannel[],
  kind: NotificationKind,
  channel: NotificationChannel,
): boolean {
  return channels.includes(channel) && !(channel === 'email' && ruleOf(kind)?.hasOwnMail === true);
}
