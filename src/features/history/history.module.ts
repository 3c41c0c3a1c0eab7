import { Module } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { RECEIPTS_ADOPTION } from './history.adoption.js';
import { HISTORY_AUDIT } from './history.audit.js';
import { HISTORY_EVENTS } from './history.events.js';
import { EVENT_QUOTAS_PURGE, EVENT_RECEIPTS_PURGE } from './history.purge.js';
import { EventQuota } from './event-quota.js';
import { EventIngestService } from './event-ingest.service.js';
import { OrganizationsModule } from '../organizations/organizations.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { UsersModule } from '../users/users.module.js';
import { FeedAccessService } from './feed/feed-access.service.js';
import { FeedScopeService } from './feed/feed-scope.service.js';
import { EventListService } from './list/event-list.service.js';
import { FollowedDevicesRepository } from './list/followed-devices.repository.js';
import { EventPageService } from './polling/event-page.service.js';
import { EventWaiters } from './polling/event-waiters.js';
import { DevicesModule } from '../devices/devices.module.js';
import { HistoryRepository } from './history.repository.js';
import { HistoryService } from './history.service.js';

/** What happened to devices. */
@Module({
  imports: [
    UsersModule,
    OrganizationsModule,
    SharingModule,
    DevicesModule,
    PresenceModule,
    AuditPlatformModule.forFeature(HISTORY_AUDIT),
    EventsModule.forFeature(HISTORY_EVENTS),
  ],
  providers: [
    HistoryService,
    EventListService,
    FollowedDevicesRepository,
    FeedAccessService,
    FeedScopeService,
    EventPageService,
    EventWaiters,
    EventIngestService,
    EventQuota,
    HistoryRepository,
    EVENT_RECEIPTS_PURGE,
    EVENT_QUOTAS_PURGE,
    RECEIPTS_ADOPTION,
  ],
  exports: [
    HistoryService,
    EventListService,
    FeedAccessService,
    FeedScopeService,
    EventPageService,
    EventWaiters,
    EventIngestService,
    HistoryRepository,
  ],
})
export class HistoryModule {}
