import { Global, Module } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { NameResolver } from './name-resolver.js';
import { OutboundClient } from './outbound-client.js';

/** `OutboundClient` for every role: webhooks are sent by workers, and tried by the requests that make them. */
@Global()
@Module({
  providers: [
    OutboundClient,
    {
      provide: NameResolver,
      inject: [AppConfig],
      useFactory: ({ outbound }: AppConfig) => new NameResolver({ local: outbound.allowedNetworks.length > 0 }),
    },
  ],
  exports: [OutboundClient],
})
export class OutboundModule {}
