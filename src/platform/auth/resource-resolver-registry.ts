import { Injectable } from '@nestjs/common';
import type { ResourceKind, Resources } from '../../contracts/resources.js';
import type { Principal } from './principal.js';

/** Finds a resource for a user: null when it does not exist or belongs to others, else what they may do with it. */
export interface ResourceResolver<K extends ResourceKind> {
  readonly resolve: (id: string, principal: Principal) => Promise<Resources[K]['ref'] | null>;
  readonly allows: (ref: Resources[K]['ref'], demand: Resources[K]['demand']) => boolean;
}

/** Resolvers by kind of resource, each registered by the feature that owns the kind. */
@Injectable()
export class ResourceResolverRegistry {
  readonly #resolvers = new Map<ResourceKind, ResourceResolver<ResourceKind>>();

  register<K extends ResourceKind>(kind: K, resolver: ResourceResolver<K>): void {
    if (this.#resolvers.has(kind)) {
      throw new Error(`Two resolvers for "${kind}".`);
    }
    this.#resolvers.set(kind, resolver as unknown as ResourceResolver<ResourceKind>);
  }

  for(kind: ResourceKind): ResourceResolver<ResourceKind> {
    const resolver = this.#resolvers.get(kind);
    if (!resolver) {
      throw new Error(`No resolver for "${kind}": its feature registers one at onModuleInit.`);
    }
    return resolver;
  }
}
