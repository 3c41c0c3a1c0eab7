import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { inBackground } from '../../../platform/process/faults.js';
import { DeviceSocketRegistry } from '../../../platform/realtime/devices/device-socket-registry.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { DispatchRepository } from './dispatch.repository.js';
import { type Transmission } from './dispatch.rows.js';
import { OrderPublisher } from './order-publisher.js';

const LOOK_EVERY_MS = 1_000;
/** Devices asked for with one statement. */
const BATCH = 1_000;

/**
 * Sends the orders that any process has recorded as sent to the devices whose sockets this process has: at once when it is told,
 * and within about a second from the rows alone. The bytes come from the database, which also says how long they are good.
 */
@Injectable()
export class SocketOrderSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  #unsubscribe: () => void = () => undefined;

  constructor(
    private readonly repository: DispatchRepository,
    private readonly publisher: OrderPublisher,
    private readonly registry: DeviceSocketRegistry,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(SocketOrderSweeper.name);
    this.#loop = loops.create('socket_orders', () => this.sweep(), {
      idleFromMs: LOOK_EVERY_MS,
      idleMs: LOOK_EVERY_MS,
      retryMs: LOOK_EVERY_MS,
      onError: (error) => {
        logger.error({ err: error }, 'Looking for orders to sockets failed');
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('order_sent', ({ deviceId, commandId }) => {
      if (this.publisher.hasSocket(deviceId)) {
        inBackground(() => this.forward([deviceId], commandId, () => true));
      }
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe();
    await this.#loop.stop();
  }

  /** Sends what a lost signal has left. */
  async sweep(): Promise<StepOutcome> {
    const ids = this.registry.connectedIds();
    for (let start = 0; start < ids.length; start += BATCH) {
      await this.forward(ids.slice(start, start + BATCH), null, isForSocket);
    }
    return 'idle';
  }

  private async forward(
    deviceIds: readonly string[],
    commandId: string | null,
    isDue: (order: Transmission) => boolean,
  ): Promise<void> {
    const askedAt = this.publisher.now();
    const orders = await this.repository.listInFlight({ deviceIds, commandId });
    for (const order of orders.filter(isDue)) {
      this.publisher.forward(order, askedAt + order.remainingMs);
    }
  }
}

/** The first attempt goes over the best link alone, unless that fails, which this process is told of. */
function isForSocket({ command, links }: Transmission): boolean {
  return command.attempts > 1 || links[0] === 'websocket';
}
