import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Readiness } from '../health/readiness.js';
import { RedisClients } from './redis-clients.js';
import { Signals } from './signals.js';

@Global()
@Module({ providers: [RedisClients, Signals], exports: [RedisClients, Signals] })
export class RedisModule implements OnModuleInit {
  constructor(
    private readonly redis: RedisClients,
    private readonly readiness: Readiness,
  ) {}

  onModuleInit(): void {
    this.readiness.register({
      name: 'redis',
      critical: false,
      check: async () => {
        await this.redis.app.ping();
      },
    });
  }
}
