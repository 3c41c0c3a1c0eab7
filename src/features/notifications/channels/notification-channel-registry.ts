import { Injectable } from '@nestjs/common';
import type { NotificationChannelName } from '../notifications.types.js';
import type { NotificationTransport } from './notification-transport.js';

/** The channels that there are: each registers at `onModuleInit`, in every role, where it is set up. */
@Injectable()
export class NotificationChannelRegistry {
  readonly #channels = new Map<NotificationChannelName, NotificationTransport>();

  /** @throws when there is one of the name already. */
  register(channel: NotificationTransport): void {
    if (this.#channels.has(channel.name)) {
      throw new Error(`The notification channel "${channel.name}" is registered twice.`);
    }
    this.#channels.set(channel.name, channel);
  }

  names(): readonly NotificationChannelName[] {
    return [...this.#channels.keys()];
  }

  /** Whom of these people each channel can reach. */
  async reachOf(userIds: readonly string[]): Promise<ReadonlyMap<NotificationChannelName, ReadonlySet<string>>> {
    const ids = [...new Set(userIds)];
    return new Map(
      await Promise.all(
        [...this.#channels.values()].map(async (channel) => [channel.name, await channel.reachable(ids)] as const),
      ),
    );
  }

  get(name: NotificationChannelName): NotificationTransport | undefined {
    return this.#channels.get(name);
  }
}
