import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { ReadinessRegistry } from '../health/readiness-registry.js';
import { RedisClients } from './redis-clients.js';
import { SignalBus } from './signal-bus.js';

@Global()
@Module({ providers: [RedisClients, SignalBus], exports: [RedisClients, SignalBus] })
export class RedisModule implements OnModuleInit {
  constructor(
    private readonly redis: RedisClients,
    private readonly readiness: ReadinessRegistry,
  ) {}

  onModuleInit(): void {
    this.readiness.register({
      name: 'redis',
      critical: false,
      check: async () => {
        await this.redis.app.ping();
        return undefined;
      },
    });
  }
}
