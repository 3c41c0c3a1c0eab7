import { Global, Module } from '@nestjs/common';
import { AccessTokenFactory } from './access-token-factory.js';
import { ResourceResolverRegistry } from './resource-resolver-registry.js';

/** What features need to issue tokens and to answer for their resources. The guard itself is an edge of the API role. */
@Global()
@Module({
  providers: [AccessTokenFactory, ResourceResolverRegistry],
  exports: [AccessTokenFactory, ResourceResolverRegistry],
})
export class AuthPlatformModule {}
