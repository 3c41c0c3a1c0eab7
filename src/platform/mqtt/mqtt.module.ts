import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { BrokerClientFactory } from './broker-client-factory.js';
import { DevicePublisher } from './device-publisher.js';
import { EvictionRegistry } from './line/eviction-registry.js';
import { CutoffRegistry } from './limits/cutoff-registry.js';
import { EndedTokenRegistry } from './limits/ended-token-registry.js';
import { DeviceLimiter } from './limits/device-limiter.js';
import { RejectedMessages } from './rejected-messages.js';

const PROVIDERS = [
  BrokerClientFactory,
  EvictionRegistry,
  DevicePublisher,
  RejectedMessages,
  DeviceLimiter,
  CutoffRegistry,
  EndedTokenRegistry,
];

/** What every role may ask for. The broker and the server are edges of the hardware role: see `brokerEdges`. */
@Global()
@Module({ providers: PROVIDERS, exports: PROVIDERS })
export class MqttModule implements OnModuleInit {
  constructor(
    private readonly refusals: RejectedMessages,
    private readonly cutoffs: CutoffRegistry,
  ) {}

  /** A device that goes on beyond its limits is cut, whichever way it comes. */
  onModuleInit(): void {
    this.refusals.onRefusal(({ deviceId, code, weight }) => {
      this.cutoffs.strike(deviceId, code, weight);
    });
    this.cutoffs.onCut(({ deviceId, ...cut }) => {
      this.refusals.operation('connect', 'cut_off', { deviceId, ...cut });
    });
  }
}
