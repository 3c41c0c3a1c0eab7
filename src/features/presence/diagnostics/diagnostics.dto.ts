import { ApiProperty } from '@nestjs/swagger';
import { COMMAND_NAMES, COMMAND_STATES, type CommandName, type CommandState } from '../../../contracts/commands.js';
import type { LinkKind } from '../../../contracts/devices.js';
import { type Diagnostics, type OpenLink, SUBSCRIPTION_STATES, type Subscription } from './diagnostics.types.js';

/** One kind of refusal. */
export class RefusalDto {
  /**
   * Why: a limit (`too_many_messages`, `too_many_events`, `too_many_acks`, `too_many_statuses`, `too_many_boots`,
   * `too_many_logins`, `too_many_events_today`, `reads_too_slowly`, `cut_off`), or what was wrong with the message.
   * `no_valid_token`: every token of it has ended, and a broker of the operator's keeps its connection; what it says is dropped, and it
   * gets no orders. `not_subscribed`: an order was published, and the broker had no subscriber for it. `bad_reading`: a reading was dropped, and the rest of its message taken. `uptime_fell`: the uptime fell within one
   * boot, and no `unlock_door` is sent until the device starts with another boot, or until a report shows that it did not
   * fall. `uptime_unknown`: the report that brought it online had no uptime that can be used, and no command is sent until
   * one has it.
   * @example too_many_messages
   */
  code!: string;

  /**
   * How often, since the first time.
   * @example 1204
   */
  count!: number;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  firstSeenAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:04:11.000Z
   */
  lastSeenAt!: string;

  /**
   * What was wrong the last time, where it can be said in a line.
   * @example /battery: battery must not be greater than 100
   */
  detail!: string | null;
}

/** An open link of a device. */
export class DiagnosticsLinkDto {
  /** @example mqtt */
  kind!: LinkKind;

  /**
   * The boot that opened it.
   * @example Zb3xQ7kT0pVw9sLr2NcYhA
   */
  boot!: string;

  /**
   * When the first birth of that boot opened it. RFC 3339, as all times here.
   * @example 2026-11-20T17:30:02.114Z
   */
  connectedAt!: string;

  /**
   * When a birth or heartbeat arrived last.
   * @example 2026-11-20T18:04:02.310Z
   */
  lastSeenAt!: string;
}

/** The last birth of a device, or the heartbeat that stood in for a lost one. */
export class LastBirthDto {
  /** @example 2026-11-20T17:30:02.114Z */
  at!: string;

  /** @example Zb3xQ7kT0pVw9sLr2NcYhA */
  boot!: string | null;

  /**
   * By the latest report of that boot; null while none had one that can be used.
   * @example 2041896
   */
  uptimeMs!: number | null;

  /**
   * As the device said last.
   * @example 2.4.1
   */
  firmwareVersion!: string | null;
}

/** The order that was sent last. */
export class LastOrderDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  commandId!: string;

  @ApiProperty({ enum: COMMAND_NAMES, example: 'unlock_door' })
  name!: CommandName;

  /** @example 2026-11-20T18:03:58.020Z */
  sentAt!: string;

  /**
   * How often it was sent, each time with the same bytes.
   * @example 1
   */
  attempts!: number;

  /** Where its command is now. */
  @ApiProperty({ enum: COMMAND_STATES, example: 'EXECUTED' })
  state!: CommandState;
}

/** The command whose first ack came last. */
export class LastAckDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  commandId!: string;

  @ApiProperty({ enum: COMMAND_NAMES, example: 'unlock_door' })
  name!: CommandName;

  /** @example 2026-11-20T18:03:58.090Z */
  at!: string;

  /** What became of the command. `TIMED_OUT`: the ack came too late. */
  @ApiProperty({ enum: COMMAND_STATES, example: 'EXECUTED' })
  state!: CommandState;

  /**
   * The code of the device, or of the backend.
   * @example stale_counter
   */
  errorCode!: string | null;

  /** @example "a later order was accepted already" */
  errorMessage!: string | null;
}

/** Whether the device gets what is published on its `commands`. */
export class SubscriptionDto {
  /**
   * By what has been seen since the last birth: `subscribed`, because an ack of an order came; `not_subscribed`, because the broker
   * had no subscriber for an order; `unknown`, because neither has been seen yet. A broker of MQTT 5 that does not say so leaves it
   * at `unknown`.
   */
  @ApiProperty({ enum: SUBSCRIPTION_STATES, example: 'subscribed' })
  state!: Subscription['state'];

  /**
   * When that was seen.
   * @example 2026-11-20T18:03:58.090Z
   */
  at!: string | null;
}

/** What is known of the line of a device, and what was refused on it. */
export class DiagnosticsDto {
  /** Every way by which the device is connected, the one that was heard last first. Empty while it is not connected. */
  links!: DiagnosticsLinkDto[];

  /** The first of `links`. Null while the device is not connected. */
  @ApiProperty({ type: DiagnosticsLinkDto, nullable: true })
  link!: Readonly<DiagnosticsLinkDto> | null;

  /** Null until the first one. */
  @ApiProperty({ type: LastBirthDto, nullable: true })
  lastBirth!: Readonly<LastBirthDto> | null;

  subscription!: SubscriptionDto;

  /** Of the last hundred commands; null where none of them was sent. */
  @ApiProperty({ type: LastOrderDto, nullable: true })
  lastOrder!: Readonly<LastOrderDto> | null;

  /** Of the last hundred commands; null where none of them was answered. */
  @ApiProperty({ type: LastAckDto, nullable: true })
  lastAck!: Readonly<LastAckDto> | null;

  /**
   * RFC 3339: until then the device may not log in, because it went on beyond its limits. Null when it may.
   * @example 2026-11-20T18:05:11.000Z
   */
  cutUntil!: string | null;

  /** Each kind once, the latest first. */
  refusals!: RefusalDto[];
}

export function toDiagnosticsDto(found: Diagnostics): Readonly<DiagnosticsDto> {
  const { lastBirth, subscription, lastOrder, lastAck, cutUntil, refusals } = found;
  const links = found.links.map(toLinkDto);
  return {
    links,
    link: links[0] ?? null,
    lastBirth: lastBirth && { ...lastBirth, at: lastBirth.at.toISOString() },
    subscription: { state: subscription.state, at: subscription.at?.toISOString() ?? null },
    lastOrder: lastOrder && { ...lastOrder, sentAt: lastOrder.sentAt.toISOString() },
    lastAck: lastAck && { ...lastAck, at: lastAck.at.toISOString() },
    cutUntil: cutUntil?.toISOString() ?? null,
    refusals: refusals.map(({ code, count, firstSeenAt, lastSeenAt, detail }) => ({
      code,
      count,
      firstSeenAt: firstSeenAt.toISOString(),
      lastSeenAt: lastSeenAt.toISOString(),
      detail,
    })),
  };
}

function toLinkDto({ connectedAt, lastSeenAt, ...link }: OpenLink): Readonly<DiagnosticsLinkDto> {
  return { ...link, connectedAt: connectedAt.toISOString(), lastSeenAt: lastSeenAt.toISOString() };
}
