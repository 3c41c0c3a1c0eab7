import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { allDevices } from '../../../contracts/mqtt.js';
import { ReadinessRegistry, UnhealthyError } from '../../health/readiness-registry.js';
import { DevicePublisher } from '../device-publisher.js';
import { MqttServer } from '../mqtt-server.js';
import { CanaryPublisher } from './canary-publisher.js';
import { EvictionRegistry } from './eviction-registry.js';
import { HearingRegistry } from './hearing-registry.js';

/** `mqtt` in health: whether devices are heard, and orders taken. Each reason is explained in docs/operations.md. */
@Injectable()
export class MqttHealthService implements OnApplicationBootstrap {
  constructor(
    private readonly readiness: ReadinessRegistry,
    private readonly server: MqttServer,
    private readonly publisher: DevicePublisher,
    private readonly canary: CanaryPublisher,
    private readonly hearing: HearingRegistry,
    private readonly evictions: EvictionRegistry,
  ) {}

  onApplicationBootstrap(): void {
    this.readiness.register({
      name: 'mqtt',
      critical: false,
      check: () => {
        const fault = this.findFault();
        return fault === null ? Promise.resolve(undefined) : Promise.reject(fault);
      },
    });
  }

  /** The first of what is wrong, from the connection on: what follows depends on it. */
  private findFault(): UnhealthyError | null {
    const { loop } = this.evictions;
    return loop === null ? this.findFaultOfLine() : new UnhealthyError('the broker ends our connections', { ...loop });
  }

  private findFaultOfLine(): UnhealthyError | null {
    if (!this.server.hasConnection || !this.publisher.isConnected()) {
      return new UnhealthyError('is not connected to the broker');
    }
    const [subscription] = this.server.refusedSubscriptions;
    if (subscription) {
      const { topic, reason } = subscription;
      return new UnhealthyError('the broker refuses a subscription', { topic, brokerSays: reason });
    }
    if (!this.server.isConnected()) {
      return new UnhealthyError('waits for the broker to confirm its subscriptions');
    }
    const [publication] = this.canary.refused;
    if (publication) {
      const { topic, reason } = publication;
      return new UnhealthyError('the broker refuses to let this account publish', { topic, brokerSays: reason });
    }
    if (this.canary.isAway) {
      return new UnhealthyError('the broker refuses the third connection of this process');
    }
    const silent = this.hearing.silent.map(allDevices);
    return silent.length === 0
      ? null
      : new UnhealthyError('hears nothing although the broker takes what is published', { topics: silent.join(' ') });
  }
}
