import { Module } from '@nestjs/common';
import { DevicesModule } from '../devices/devices.module.js';
import { CommandIntake } from './command-submission.service.js';
import { CommandOutcomes } from './acknowledgement.service.js';
import { CommandRecorder } from './command-event-writer.js';
import { CommandsRepository } from './commands.repository.js';
import { CommandsService } from './commands.service.js';
import { DispatchRepository } from './dispatch/dispatch.repository.js';
import { OrderLine } from './dispatch/order-publisher.js';
import { OrderSender } from './dispatch/dispatch.service.js';
import { OutcomesRepository } from './acknowledgement.repository.js';
import { OverdueCommands } from './dispatch/command-timeout.service.js';
import { SettledWaiters } from './completion-waiters.js';

/** The ledger. Its loops (CommandDispatcher, CommandSweeper) are edges of the hardware role. */
@Module({
  imports: [DevicesModule],
  providers: [
    CommandsService,
    CommandsRepository,
    CommandIntake,
    CommandRecorder,
    CommandOutcomes,
    OutcomesRepository,
    OverdueCommands,
    DispatchRepository,
    OrderSender,
    OrderLine,
    SettledWaiters,
  ],
  exports: [CommandsService, CommandOutcomes, DispatchRepository, OrderSender, OverdueCommands],
})
export class CommandsModule {}
