import { Module } from '@nestjs/common';
import { DevicesModule } from '../devices/devices.module.js';
import { CommandIntake } from './command-intake.js';
import { CommandOutcomes } from './command-outcomes.js';
import { CommandRecorder } from './command-recorder.js';
import { CommandsRepository } from './commands.repository.js';
import { CommandsService } from './commands.service.js';
import { DispatchRepository } from './dispatch.repository.js';
import { OrderLine } from './order-line.js';
import { OrderSender } from './order-sender.js';
import { OutcomesRepository } from './outcomes.repository.js';
import { OverdueCommands } from './overdue-commands.js';
import { SettledWaiters } from './settled-waiters.js';

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
