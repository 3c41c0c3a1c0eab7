import { Injectable } from '@nestjs/common';

/** A device is about to be another person's, or as it was when it was new. */
export interface Handover {
  readonly deviceId: string;
  /** Who has it until now. */
  readonly ownerId: string;
  readonly reason: 'transfer' | 'factory_reset';
}

type HandoverHandler = (handover: Handover) => Promise<void>;
type DisconnectHandler = (deviceId: string) => Promise<void>;

/** What features above have to end when a device changes hands, or when its tokens do. */
@Injectable()
export class HandoverService {
  readonly #handovers: HandoverHandler[] = [];
  readonly #disconnects: DisconnectHandler[] = [];

  /**
   * Registers what belongs to the ownership of a device: shares, orders, settings. It is called in the transaction of the
   * change, which holds the device, before it. Call it in `onModuleInit`.
   */
  onHandover(handler: HandoverHandler): void {
    this.#handovers.push(handler);
  }

  /** Registers what ends with the connections of a device. Called and to be called as {@link onHandover}. */
  onDisconnect(handler: DisconnectHandler): void {
    this.#disconnects.push(handler);
  }

  async end(handover: Handover): Promise<void> {
    for (const handler of this.#handovers) {
      await handler(handover);
    }
    await this.disconnect(handover.deviceId);
  }

  async disconnect(deviceId: string): Promise<void> {
    for (const handler of this.#disconnects) {
      await handler(deviceId);
    }
  }
}
