import { adoptionRule } from '../../../platform/adoption/adoption-registry.js';
import { CommandRecoveryRepository } from './command-recovery.repository.js';
import { CommandRecoveryService } from './command-recovery.service.js';

/** Whether they were sent after the backup, and carried out, is not known: none is sent now. */
export const COMMANDS_ADOPTION = adoptionRule({
  name: 'commands_settled',
  from: [CommandRecoveryService],
  adopt: (recovery) => recovery.settleOpen(),
});

/** Devices have accepted orders since the backup, and refuse any with a counter that is not above theirs. */
export const ORDER_COUNTERS_ADOPTION = adoptionRule({
  name: 'order_counters_raised',
  from: [CommandRecoveryRepository],
  adopt: (commands) => commands.raiseCounters(),
});
