import type { Type } from '@nestjs/common';
import type { Role } from '../../config/schema.js';

/**
 * The entry points of a feature, by the role that runs them: controllers, gateways, handlers of MQTT channels,
 * job handlers and loops. A process has the edges of its own roles and no others.
 */
export type FeatureEdges = Readonly<Partial<Record<Role, readonly Type[]>>>;

/** One feature: the module with its services, which every role has, and its edges. */
export interface Feature {
  readonly module: Type;
  readonly edges?: FeatureEdges;
}
