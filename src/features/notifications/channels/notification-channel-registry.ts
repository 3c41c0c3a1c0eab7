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

  get(name: NotificationChannelName): NotificationTransport | undefined {
    return this.#channels.get(name);
  }
}
