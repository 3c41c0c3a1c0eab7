import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditPlatformModule } from '../../platform/audit/audit-platform.module.js';
import { RateLimitModule } from '../../platform/rate-limit/rate-limit.module.js';
import { EventsModule } from '../../platform/events/events.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { SharingModule } from '../sharing/sharing.module.js';
import { PresenceModule } from '../presence/presence.module.js';
import { COMMANDS_ADOPTION, ORDER_COUNTERS_ADOPTION } from './dispatch/commands.adoption.js';
import { COMMANDS_EVENTS } from './commands.events.js';
import { COMMANDS_AUDIT } from './commands.audit.js';
import { CommandSubmissionService } from './command-submission.service.js';
import { AcknowledgementService } from './acknowledgement/acknowledgement.service.js';
import { CommandEventWriter } from './command-event-writer.js';
import { CommandsRepository } from './commands.repository.js';
import { CommandsService } from './commands.service.js';
import { CommandRecoveryRepository } from './dispatch/command-recovery.repository.js';
import { CommandRecoveryService } from './dispatch/command-recovery.service.js';
import { DispatchRepository } from './dispatch/dispatch.repository.js';
import { OrderPublisher } from './dispatch/order-publisher.js';
import { DispatchService } from './dispatch/dispatch.service.js';
import { AcknowledgementRepository } from './acknowledgement/acknowledgement.repository.js';
import { RecentOrdersRepository } from './acknowledgement/recent-orders.repository.js';
import { RecentOrdersService } from './acknowledgement/recent-orders.service.js';
import { CompletionWaiters } from './completion-waiters.js';
import { HandoverService } from '../devices/transfers/handover.service.js';
import { CommandHandoverRepository } from './handover/command-handover.repository.js';
import { CommandHandoverService } from './handover/command-handover.service.js';
import { COMMANDS_PURGE } from './commands.purge.js';
import { COMMANDS_RATE_LIMITS } from './commands.rate-limits.js';

/** Commands to devices. Its loops (DispatchScheduler, CommandSweeper) are edges of the hardware role. */
@Module({
  imports: [
    SharingModule,
    DevicesModule,
    PresenceModule,
    RateLimitModule.forFeature(COMMANDS_RATE_LIMITS),
    AuditPlatformModule.forFeature(COMMANDS_AUDIT),
    EventsModule.forFeature(COMMANDS_EVENTS),
  ],
  providers: [
    CommandsService,
    CommandsRepository,
    CommandSubmissionService,
    CommandHandoverService,
    CommandHandoverRepository,
    CommandEventWriter,
    AcknowledgementService,
    AcknowledgementRepository,
    RecentOrdersRepository,
    RecentOrdersService,
    DispatchRepository,
    DispatchService,
    OrderPublisher,
    CompletionWaiters,
    CommandRecoveryRepository,
    CommandRecoveryService,
    COMMANDS_ADOPTION,
    ORDER_COUNTERS_ADOPTION,
    COMMANDS_PURGE,
  ],
  exports: [
    CommandsService,
    CommandSubmissionService,
    AcknowledgementService,
    DispatchRepository,
    DispatchService,
    OrderPublisher,
  ],
})
export class CommandsModule implements OnModuleInit {
  constructor(
    private readonly handover: HandoverService,
    private readonly commands: CommandHandoverService,
  ) {}

  onModuleInit(): void {
    this.handover.onHandover(({ deviceId }) => this.commands.endAll(deviceId));
  }
}
