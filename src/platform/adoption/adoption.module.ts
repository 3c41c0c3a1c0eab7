import { Global, Module } from '@nestjs/common';
import { AuditPlatformModule } from '../audit/audit-platform.module.js';
import type { AuditDeclaration } from '../audit/audit-registry.js';
import { AdoptionRegistry } from './adoption-registry.js';
import { AdoptionStore } from './adoption-store.js';
import { AdoptionService } from './adoption.service.js';

declare module '../../contracts/audit.js' {
  interface AuditActions extends Record<(typeof ADOPTION_AUDIT.actions)[number], true> {}
  interface AuditEntityTypes extends Readonly<typeof ADOPTION_AUDIT.entities> {}
}

const ADOPTION_AUDIT = {
  actions: ['database_adopted'],
  entities: { database: null },
} as const satisfies AuditDeclaration;

/** The adoption of a restored database: features register with `adoptionRule` what happens to their tables. */
@Global()
@Module({
  imports: [AuditPlatformModule.forFeature(ADOPTION_AUDIT)],
  providers: [AdoptionRegistry, AdoptionStore, AdoptionService],
  exports: [AdoptionRegistry, AdoptionService],
})
export class AdoptionModule {}
