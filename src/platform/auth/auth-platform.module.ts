import { Global, Module } from '@nestjs/common';
import { AccessTokens } from './access-token-factory.js';
import { ResourceResolvers } from './resource-resolver-registry.js';

/** What features need to issue tokens and to answer for their resources. The guard itself is an edge of the API role. */
@Global()
@Module({ providers: [AccessTokens, ResourceResolvers], exports: [AccessTokens, ResourceResolvers] })
export class AuthPlatformModule {}
